import { formatEdge, HEADER, REJECTED_TYPE, type LogRecord } from '@tachograph/event-log';
import { toBase64, toHex, utf8, type CompactRange, type Origin } from '@tachograph/wire';
import type { Claim } from './append-check.ts';
import type { ReadLeaf } from './leaf-content.ts';
import { revocationOf, timeBounds, type SenderClock } from './time-bounds.ts';

/** One append that was received and whose signatures verified. */
export type AppendSource = {
  readonly tenant: string;
  readonly device: string;
  readonly installation: string;
  readonly origin: Origin;
  readonly claim: Claim;
  readonly leaves: readonly ReadLeaf[];
  /** The device-signed checkpoint note, with the device's signature alone. */
  readonly checkpoint: string;
  readonly deviceStatus: string;
  readonly revokedAt: number | null;
  readonly receivedAt: number;
  /** The newest request note's clocks: this request's own where it has one. */
  readonly sender: SenderClock | null;
  /** From this request's note. */
  readonly pendingCount: number | null;
  readonly oldestPendingAt: number | null;
  readonly traceparent: string | null;
};

/** What the records of an append say beyond the append itself. */
export type AppendFacts = {
  /** The log's state before the first leaf. */
  readonly edge: CompactRange;
  /** The newest cosigned checkpoint, or `null` at size 0. */
  readonly receipt: string | null;
  /** The time of the cosignature that a leaf had seen, milliseconds; `null` where ingest did not issue it. */
  readonly earliestOf: (leaf: ReadLeaf, index: number) => number | null;
  /** The `ce_id` of the predecessor's entry that the leaf repeats, or `null`. */
  readonly duplicateOf: (leaf: ReadLeaf, index: number) => string | null;
};

type Headers = Record<string, string>;

/** The records of an append, as they go into the ordered log. */
export function buildRecords(source: AppendSource, facts: AppendFacts): LogRecord[] {
  const key = `${source.tenant}/${source.installation}`;
  const receivedTime = rfc3339(source.receivedAt);
  const records = source.leaves.map((leaf, i) => {
    const index = source.claim.old + i;
    // One object, filled in place: this runs for every event.
    const headers: Headers = {
      [HEADER.specVersion]: '1.0',
      [HEADER.id]: entryId(source.device, index, leaf.hash),
      [HEADER.source]: source.origin,
      [HEADER.tenant]: source.tenant,
      [HEADER.sequence]: String(index).padStart(16, '0'),
      [HEADER.recordedTime]: receivedTime,
      [HEADER.deviceStatus]: source.deviceStatus,
    };
    if (source.traceparent !== null) headers[HEADER.traceparent] = source.traceparent;
    if (leaf.content.kind === 'rejected') addRejection(headers, leaf.content.code, receivedTime);
    else addContent(headers, source, leaf, leaf.content, index, facts);
    return { key, value: leaf.bytes, headers };
  });
  Object.assign(records[0]!.headers, firstHeaders(source, facts));
  records[records.length - 1]!.headers[HEADER.checkpoint] = toBase64(utf8(source.checkpoint));
  return records;
}

/** The `ce_id` of an entry: the same for whoever computes it from device, index and leaf. */
export function entryId(device: string, index: number, leafHash: Uint8Array): string {
  return `${device}/${index}/${toHex(leafHash.subarray(0, 6))}`;
}

function addRejection(headers: Headers, code: string, receivedTime: string): void {
  headers[HEADER.contentType] = 'application/octet-stream';
  headers[HEADER.type] = REJECTED_TYPE;
  headers[HEADER.time] = receivedTime;
  headers[HEADER.rejected] = code;
}

function addContent(
  headers: Headers,
  source: AppendSource,
  leaf: ReadLeaf,
  content: Extract<ReadLeaf['content'], { kind: 'event' }>,
  index: number,
  facts: AppendFacts,
): void {
  const earliest = facts.earliestOf(leaf, index);
  const bounds = timeBounds(content.clock, source.receivedAt, source.sender, earliest);
  const duplicateOf = facts.duplicateOf(leaf, index);
  headers[HEADER.contentType] = 'application/json';
  headers[HEADER.type] = content.action;
  headers[HEADER.time] = rfc3339(bounds.best);
  headers[HEADER.latest] = rfc3339(bounds.latest);
  headers[HEADER.estimate] = bounds.estimate;
  headers[HEADER.lateness] = String(bounds.latenessMs);
  if (earliest !== null) headers[HEADER.earliest] = rfc3339(earliest);
  if (duplicateOf !== null) headers[HEADER.duplicateOf] = duplicateOf;
  if (source.revokedAt !== null) headers[HEADER.revocation] = revocationOf(bounds, source.revokedAt);
}

function firstHeaders(source: AppendSource, facts: AppendFacts): Headers {
  const headers: Headers = { [HEADER.edge]: formatEdge(facts.edge) };
  if (source.pendingCount !== null) headers[HEADER.pending] = String(source.pendingCount);
  if (source.oldestPendingAt !== null) headers[HEADER.oldest] = rfc3339(source.oldestPendingAt);
  if (facts.receipt !== null) headers[HEADER.receipt] = toBase64(utf8(facts.receipt));
  return headers;
}

/** The newest second that was written, up to its point: events come in stretches of the same one. */
let newest = { second: Number.NaN, text: '' };

/** `at` (milliseconds since the epoch) in RFC 3339, UTC. */
function rfc3339(at: number): string {
  const second = Math.floor(at / 1000);
  if (second !== newest.second)
    newest = { second, text: new Date(second * 1000).toISOString().slice(0, -'000Z'.length) };
  return `${newest.text}${String(at - second * 1000).padStart(3, '0')}Z`;
}

/** Bytes that a record's headers, key and framing take beyond its value; a generous estimate. */
const RECORD_OVERHEAD_BYTES = 700;
const APPEND_OVERHEAD_BYTES = 4_000;

/** About how many bytes an append takes in the log: what lanes cut their writes and bound their queues by. */
export function estimatedBytes(source: AppendSource): number {
  let bytes = APPEND_OVERHEAD_BYTES + 2 * source.checkpoint.length;
  for (const leaf of source.leaves) bytes += leaf.bytes.length + RECORD_OVERHEAD_BYTES;
  return bytes;
}
