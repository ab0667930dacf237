import { fromBase64, leafHash, LIMITS, parseCheckpointNote, utf8Text } from '@tachograph/wire';
import type { Bytes, CheckpointNote, CompactRange } from '@tachograph/wire';
import { parseEdge } from '../edge.ts';
import { HEADER, type StoredRecord } from '../record.ts';

/** One append as it stands in the log: what ingest wrote for one accepted request, in one piece. */
export type LoggedAppend = {
  readonly origin: string;
  /** The range of the device's log before the first record. */
  readonly edge: CompactRange;
  readonly leafHashes: readonly Bytes[];
  /** The device-signed checkpoint after the last record. Its signature was checked by ingest. */
  readonly checkpoint: CheckpointNote;
  /** This log's checkpoint with ingest's cosignature, not verified yet: evidence for an edge that a reader does not know. */
  readonly receipt: CheckpointNote | null;
  readonly records: readonly StoredRecord[];
};

/** A run of records that is no append: written by something else, or cut. Never delivered. */
export type BrokenRun = { readonly records: readonly StoredRecord[]; readonly reason: string };

export type AssembledRun =
  | { readonly kind: 'append'; readonly append: LoggedAppend }
  | { readonly kind: 'broken'; readonly broken: BrokenRun };

/** Puts a partition's records back together into the appends that they were written as. */
export class AppendAssembler {
  #open: StoredRecord[] = [];

  /** Offset of the first record that belongs to an append which has not ended; `null` between appends. */
  get openSince(): number | null {
    return this.#open[0]?.offset ?? null;
  }

  /** Takes the next record and answers the runs that it completes, at most two. */
  push(record: StoredRecord): AssembledRun[] {
    const runs: AssembledRun[] = [];
    const starts = HEADER.edge in record.headers;
    const origin = this.#open[0]?.headers[HEADER.source];
    if (this.#open.length > 0 && (starts || record.headers[HEADER.source] !== origin)) {
      runs.push(broken(this.#take(), 'the append has no last record'));
    }
    this.#open.push(record);
    if (!starts && this.#open.length === 1)
      runs.push(broken(this.#take(), 'the record stands outside an append'));
    else if (HEADER.checkpoint in record.headers) runs.push(close(this.#take()));
    else if (this.#open.length >= LIMITS.appendLeavesMax)
      runs.push(broken(this.#take(), 'the append is longer than an append can be'));
    return runs;
  }

  #take(): StoredRecord[] {
    const records = this.#open;
    this.#open = [];
    return records;
  }
}

function broken(records: readonly StoredRecord[], reason: string): AssembledRun {
  return { kind: 'broken', broken: { records, reason } };
}

function close(records: readonly StoredRecord[]): AssembledRun {
  const [first, last] = [records[0]!, records[records.length - 1]!];
  const origin = first.headers[HEADER.source];
  const edge = parseEdge(first.headers[HEADER.edge] ?? '');
  const checkpoint = checkpointIn(last.headers[HEADER.checkpoint]);
  if (origin === undefined || edge === null || checkpoint === null || checkpoint.origin !== origin) {
    return broken(records, 'the edge or the checkpoint is malformed');
  }
  const leafHashes = records.map((record) => leafHash(record.value));
  const append: LoggedAppend = {
    origin,
    edge,
    leafHashes,
    checkpoint,
    // Parsed where it is asked for: as long as a log goes on, nobody does.
    get receipt() {
      return receiptIn(first, origin);
    },
    records,
  };
  return { kind: 'append', append };
}

/** One about another log vouches for nothing. */
function receiptIn({ headers }: StoredRecord, origin: string): CheckpointNote | null {
  const receipt = checkpointIn(headers[HEADER.receipt]);
  return receipt?.origin === origin ? receipt : null;
}

function checkpointIn(header: string | undefined): CheckpointNote | null {
  const bytes = header === undefined ? null : fromBase64(header);
  const source = bytes === null ? null : utf8Text(bytes);
  const parsed = source === null ? null : parseCheckpointNote(source);
  return parsed?.ok ? parsed.value : null;
}
