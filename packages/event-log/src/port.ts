import type { Fault } from '@tachograph/wire';
import type { LogRecord, StoredRecord } from './record.ts';

/** What became of an append to one partition. */
export type AppendOutcome =
  /** Durable: fsynced, or on all in-sync replicas. The records stand at `baseOffset` and after, without gaps. */
  | { readonly kind: 'appended'; readonly baseOffset: number }
  /** Nothing was appended, and never will be: `culprit` is the index of the record that is at fault. */
  | { readonly kind: 'rejected'; readonly culprit: number; readonly fault: Fault }
  /** It may be in the log, or may still come. Only reading the log tells; absence at its end proves nothing for ever. */
  | { readonly kind: 'ambiguous'; readonly cause: unknown };

export type LogDescription = {
  readonly adapter: 'embedded' | 'kafka';
  readonly name: string;
  readonly partitions: number;
  /** Bytes that one append may hold, keys, headers and overhead included. */
  readonly appendBytesMax: number;
};

/**
 * The ordered log. Within a partition, all readers see the same records in the same order, and never a record
 * before every acknowledged one ahead of it.
 */
export interface EventLog {
  describe(): Promise<LogDescription>;
  /**
   * Appends all `records` in one piece or none of them. At most one call per partition may be unsettled: the
   * caller's lane sees to it. `deadline` bounds the wait; passing it makes the outcome `ambiguous`.
   * A batch above `appendBytesMax` is rejected: the culprit is the record that is too large by itself
   * (`ERR_LEAF_TOO_LARGE`), else the first that does not fit (`ERR_BODY_TOO_LARGE`).
   * @throws RangeError for an unknown partition or without records
   */
  append(partition: number, records: readonly LogRecord[], deadline: AbortSignal): Promise<AppendOutcome>;
  /** The offset of the oldest record that can be read, and the one that the next record gets. */
  offsets(partition: number): Promise<{ readonly oldest: number; readonly next: number }>;
  /** The records with `from` ≤ offset < `to` that there are, in order, in non-empty batches of bounded size. */
  readRange(partition: number, from: number, to: number): AsyncIterable<readonly StoredRecord[]>;
  /** A reader that shares the partitions with every other reader of the same group. */
  openGroup(group: string, options?: GroupOptions): Promise<GroupReader>;
  close(): Promise<void>;
}

export type GroupOptions = {
  /**
   * Names one reader over its restarts, in the manner of Kafka's `group.instance.id` (KIP-345): when it runs, an
   * earlier one of the same name loses its partitions at once, not at its lease's end, and can commit nothing any
   * more. Only for callers whose own lock keeps two of a name from running. Every adapter does so; on Kafka the names
   * stand with the leases in the file of positions, as its own groups are not used. Without a name, the partitions
   * of a reader that died come when its lease ends.
   */
  readonly instance?: string;
};

/** What a group's owner of a partition is handed, one call at a time for each partition. */
export type GroupHandler = {
  /**
   * This reader owns `partition` from now on. `position` is the offset to go on from (0 for a new group). The
   * first record may stand later, where older ones were trimmed.
   */
  readonly assigned: (partition: number, position: number) => Promise<void>;
  /**
   * The next records. Reading of this partition goes on when the promise resolves. A rejection ends the reader,
   * except by {@link PartitionLost}, which only ends this partition.
   */
  readonly batch: (partition: number, records: readonly StoredRecord[]) => Promise<void>;
  /** The partition is given up, or was taken; nothing of it may be committed any more. Not called at the end of `run`. */
  readonly revoked: (partition: number) => Promise<void>;
};

/** There is no log where one was: its topic was deleted. Every method may reject with it. */
export class LogMissingError extends Error {
  constructor(name: string, cause: unknown) {
    super(`there is no topic ${name} any more`, { cause });
    this.name = 'LogMissingError';
  }
}

/** A partition ends before what was read of it, or holds other records there: it was cut, or made anew. */
export class LogReplacedError extends Error {
  constructor(partition: number, what: string) {
    super(`partition ${partition} ${what}`);
    this.name = 'LogReplacedError';
  }
}

/** A commit was refused because this reader does not own the partition, or is behind the position stored. */
export class PartitionLost extends Error {
  readonly partition: number;
  constructor(partition: number) {
    super(`partition ${partition} is not this reader's any more`);
    this.name = 'PartitionLost';
    this.partition = partition;
  }
}

/** State that belongs to a position: a value by key, both opaque to the log. `null` removes the key. */
export type StateChanges = ReadonlyMap<string, string | null>;

export interface GroupReader {
  /**
   * Reads until `signal` aborts, then lets the running handler calls end. Until it settles, what it owns can be
   * committed; then other readers may take over. One call at a time.
   */
  run(handler: GroupHandler, signal: AbortSignal): Promise<void>;
  /** The values that earlier commits left under `keys`, in this group and partition. */
  load(partition: number, keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Moves the position to `next` (the offset of the first record that is still to be handled) and stores
   * `changes` with it in one transaction. Call it only at the end of an append. The position never moves back.
   * `hold` is the oldest offset that this group will read again, where that is before `next`: retention that waits for
   * readers keeps it. It stays until a later commit names another one.
   * @throws PartitionLost where this reader does not own the partition; nothing is stored then.
   */
  commit(partition: number, next: number, changes: StateChanges, hold?: number): Promise<void>;
}
