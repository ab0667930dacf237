import { rootOf, type Bytes } from '@tachograph/wire';
import { HEADER, type StoredRecord } from '../record.ts';
import type { BrokenRun, LoggedAppend } from './append.ts';
import type { IndexRange } from './decide.ts';
import { deterministicEventId, forkEventId, gapEventId } from './event-id.ts';

/** What the log-order filter found wrong with a device's log. `id` is the same whoever finds it. */
export type LogAlarm = {
  readonly id: string;
  /** `null` where the records do not say. */
  readonly origin: string | null;
  /** The first record of the run in question: where it stands, and its key and headers. */
  readonly at: StoredRecord;
} & (
  | { readonly kind: 'log.gap'; readonly indices: IndexRange }
  | {
      readonly kind: 'log.forked';
      /** From the first leaf that may differ to the end of what was not accepted. */
      readonly indices: IndexRange;
      readonly root: Bytes;
      /** The device-signed checkpoint that was not accepted: the evidence. */
      readonly checkpoint: string;
    }
  | { readonly kind: 'log.invalid'; readonly reason: string; readonly records: number }
);

export function gapAlarm({ origin, edge, records }: LoggedAppend, indices: IndexRange): LogAlarm {
  const id = gapEventId(origin, edge.size, rootOf(edge));
  return { kind: 'log.gap', id, origin, at: records[0]!, indices };
}

export function forkAlarm({ origin, checkpoint, records }: LoggedAppend, index: number): LogAlarm {
  const { size, root, source } = checkpoint;
  const id = forkEventId(origin, size, root);
  const indices = { from: index, to: size };
  return { kind: 'log.forked', id, origin, at: records[0]!, indices, root, checkpoint: source };
}

/** Records that ingest cannot have written as they stand. The id names their place, since nothing in them is sure. */
export function invalidAlarm({ records, reason }: BrokenRun): LogAlarm {
  const at = records[0]!;
  const id = deterministicEventId('log.invalid', at.key, at.partition, at.offset);
  return {
    kind: 'log.invalid',
    id,
    origin: at.headers[HEADER.source] ?? null,
    at,
    reason,
    records: records.length,
  };
}
