import type { Fault } from '@tachograph/wire';
import type { AppendOutcome } from './port.ts';
import type { LogRecord } from './record.ts';

/** Bytes of an append before its first record: the header of a Kafka record batch, version 2. */
export const APPEND_OVERHEAD_BYTES = 61;

/** A record's own length, attributes, timestamp and offset deltas, and the lengths of key, value and headers. */
const RECORD_OVERHEAD_BYTES = 36;
/** The lengths of a header's name and value. */
const HEADER_OVERHEAD_BYTES = 10;

/**
 * An upper bound of what `record` takes in an append, in bytes: Kafka's encoding (record batch version 2,
 * varints at their longest). Both adapters measure by it, so that a lane cuts the same batches for both.
 */
export function recordBytes(record: LogRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + Buffer.byteLength(record.key) + record.value.length;
  for (const name in record.headers) {
    bytes += HEADER_OVERHEAD_BYTES + name.length + Buffer.byteLength(record.headers[name]!);
  }
  return bytes;
}

/**
 * The index of the first of `records` with which an append passes `appendBytesMax`, or `null` where it fits,
 * and whether that record alone would be too large.
 */
export function oversizedRecord(
  records: readonly LogRecord[],
  appendBytesMax: number,
): { readonly culprit: number; readonly alone: boolean } | null {
  let total = APPEND_OVERHEAD_BYTES;
  let first: number | null = null;
  for (const [i, record] of records.entries()) {
    const bytes = recordBytes(record);
    if (bytes + APPEND_OVERHEAD_BYTES > appendBytesMax) return { culprit: i, alone: true };
    total += bytes;
    if (total > appendBytesMax) first ??= i;
  }
  return first === null ? null : { culprit: first, alone: false };
}

/** The outcome of an append that passes `appendBytesMax`, or `null` where it fits. */
export function rejectOversized(
  records: readonly LogRecord[],
  appendBytesMax: number,
): Extract<AppendOutcome, { kind: 'rejected' }> | null {
  const oversized = oversizedRecord(records, appendBytesMax);
  if (oversized === null) return null;
  const { culprit, alone } = oversized;
  const limit = appendBytesMax;
  const fault: Fault = alone
    ? { code: 'ERR_LEAF_TOO_LARGE', detail: 'the record alone passes what an append may hold', limit }
    : { code: 'ERR_BODY_TOO_LARGE', detail: 'the append does not hold all of the records', limit };
  return { kind: 'rejected', culprit, fault };
}
