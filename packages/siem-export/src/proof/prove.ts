import { HEADER, parseEdge, type EventLog, type StoredRecord } from '@tachograph/event-log';
import {
  appendLeaves,
  bytesEqual,
  formatTlogProof,
  fromBase64,
  leafHash,
  parseCheckpointNote,
  rootOf,
  toHex,
  utf8Text,
  type Bytes,
  type CheckpointNote,
} from '@tachograph/wire';
import { inclusionPath } from './inclusion.ts';

/** One event with its proof that it stands in its device's log. */
export type ProvenEvent = {
  /** As the feed has it: `<device>/<index>/<12 hex of the leaf hash>`. */
  readonly id: string;
  readonly origin: string;
  readonly index: number;
  /** The exact bytes that were signed. */
  readonly leaf: Bytes;
  /** C2SP tlog-proof: the path, and the checkpoint that the device signed. */
  readonly proof: string;
};

/**
 * Proves that the event of this id stands in its device's log, by the append that brought it there: its edge, its
 * entries, and the checkpoint that the device signed over them. `null` where the ordered log does not have it.
 *
 * @throws Error where the append in the log does not reproduce its own checkpoint
 */
export async function proveEvent(log: EventLog, id: string): Promise<ProvenEvent | null> {
  const { partitions } = await log.describe();
  for (let partition = 0; partition < partitions; partition++) {
    const append = await appendWith(log, partition, id);
    if (append !== null) return proofOf(append, id);
  }
  return null;
}

/** The whole append that holds the event: records of a partition stand together from edge to checkpoint. */
async function appendWith(log: EventLog, partition: number, id: string): Promise<StoredRecord[] | null> {
  let open: StoredRecord[] = [];
  const { oldest, next } = await log.offsets(partition);
  for await (const records of log.readRange(partition, oldest, next)) {
    for (const record of records) {
      if (HEADER.edge in record.headers) open = [];
      open.push(record);
      if (!(HEADER.checkpoint in record.headers)) continue;
      if (open.some(({ headers }) => headers[HEADER.id] === id)) return open;
      open = [];
    }
  }
  return null;
}

function proofOf(records: readonly StoredRecord[], id: string): ProvenEvent {
  const [first, last] = [records[0]!, records.at(-1)!];
  const at = records.findIndex(({ headers }) => headers[HEADER.id] === id);
  const edge = parseEdge(first.headers[HEADER.edge] ?? '');
  const checkpoint = checkpointIn(last.headers[HEADER.checkpoint] ?? '');
  const hashes = records.map(({ value }) => leafHash(value));
  const isWhole =
    edge !== null &&
    checkpoint !== null &&
    bytesEqual(rootOf(appendLeaves(edge, hashes)), checkpoint.root) &&
    toHex(hashes[at]!).startsWith(id.slice(id.lastIndexOf('/') + 1));
  if (!isWhole) throw new Error(`the append of ${id} in the log does not reproduce its own checkpoint`);
  const index = edge.size + at;
  const proof = formatTlogProof({ index, hashes: inclusionPath(edge, hashes, index), checkpoint });
  return { id, origin: checkpoint.origin, index, leaf: records[at]!.value, proof };
}

function checkpointIn(header: string): CheckpointNote | null {
  const bytes = fromBase64(header);
  const source = bytes === null ? null : utf8Text(bytes);
  const parsed = source === null ? null : parseCheckpointNote(source);
  return parsed?.ok ? parsed.value : null;
}
