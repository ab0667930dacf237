import type { RecordHeaders } from '@tachograph/event-log';
import type { Bytes } from '@tachograph/wire';

/** One thing to export: an entry of a device's log behind the filter, or an alarm that the filter raised. */
export type ExportEvent = {
  /** The record's headers as they stand in the ordered log; see `HEADER` of event-log. */
  readonly headers: RecordHeaders;
  /** The exact bytes of the leaf. */
  readonly value: Bytes;
  /** SHA-256(0x00 ‖ value); `null` for an alarm, which is no leaf of any log. */
  readonly leafHash: Bytes | null;
  /** Where it stands in the ordered log; for an alarm, the record that raised it. */
  readonly partition: number;
  readonly offset: number;
};

/** The log that an alarm is about. Only alarms have it. */
export const SUBJECT_HEADER = 'ce_subject';
