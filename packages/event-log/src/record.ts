import type { Bytes } from '@tachograph/wire';

/** One entry of the ordered log: one leaf of one device's log. Header values hold neither LF nor tab. */
export type LogRecord = {
  /** `<tenant>/<installation>`. */
  readonly key: string;
  /** The exact bytes of the leaf. */
  readonly value: Bytes;
  readonly headers: RecordHeaders;
};

/** A record where the log has put it. Offsets rise by one within a partition; gaps in them are legal. */
export type StoredRecord = LogRecord & { readonly partition: number; readonly offset: number };

export type RecordHeaders = { readonly [name: string]: string };

/** The headers of a record: CloudEvents 1.0 in Kafka's binary mode, and our own. */
export const HEADER = {
  contentType: 'content-type',
  specVersion: 'ce_specversion',
  /** `<device>/<index>/<12 hex of the leaf hash>`. */
  id: 'ce_id',
  /** The origin of the device's log. */
  source: 'ce_source',
  /** The event's action, or `tachograph.rejected`. */
  type: 'ce_type',
  /** Best estimate of when it occurred. */
  time: 'ce_time',
  /** The index in the device's log, 16 digits. */
  sequence: 'ce_sequence',
  /** When ingest received it. */
  recordedTime: 'ce_recordedtime',
  tenant: 'ce_tenant',
  /** RFC 3339; absent where unknown: the event is not older. */
  earliest: 'tachograph_earliest',
  /** RFC 3339: the event is not younger. */
  latest: 'tachograph_latest',
  /** `monotonic`, `wall` or `unbounded`: how `ce_time` was found. */
  estimate: 'tachograph_estimate',
  /** Milliseconds between the best time and reception. */
  lateness: 'tachograph_lateness',
  /** The device's status when its append was received. */
  deviceStatus: 'tachograph_device_status',
  /** `before`, `straddles` or `after` the revocation, for a revoked device. */
  revocation: 'tachograph_revocation',
  /** The error code of an entry that is no valid event. */
  rejected: 'tachograph_rejected',
  /** The predecessor's entry (its `ce_id`) that this carried one repeats: not delivered again. */
  duplicateOf: 'tachograph_duplicate_of',
  /** On an append's first record: base64 of the size as u64 big-endian ‖ the range's hashes, left to right. */
  edge: 'tachograph_edge',
  /** On an append's first record: leaves that the device still held, this append's included. */
  pending: 'tachograph_pending',
  /** On an append's first record: the oldest of them, RFC 3339. */
  oldest: 'tachograph_oldest',
  /** On an append's first record: base64 of the newest cosigned checkpoint. */
  receipt: 'tachograph_receipt',
  /** On an append's last record: base64 of the device-signed checkpoint note. */
  checkpoint: 'tachograph_checkpoint',
  traceparent: 'traceparent',
} as const;

/** `ce_type` of an entry that keeps its place but is no valid event. */
export const REJECTED_TYPE = 'tachograph.rejected';
