import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AppendOutcome, EventLog, GroupOptions, GroupReader, LogDescription } from '../port.ts';
import { rejectOversized } from '../record-size.ts';
import type { LogRecord, StoredRecord } from '../record.ts';
import { Doorbell } from '../groups/doorbell.ts';
import { GroupCommit } from './group-commit.ts';
import { LeasedGroupReader, type GroupTiming } from '../groups/group-reader.ts';
import { GroupStore } from '../groups/group-store.ts';
import { PartitionTable } from './partition-table.ts';
import { Retention, type RetentionPolicy, type Trimmed } from './retention.ts';
import { openLogFile } from './schema.ts';
import type { SqliteDatabase } from '../sqlite.ts';

export type EmbeddedLogOptions = {
  /** Its own file, which no other store shares: every connection's transactions are its own. */
  readonly file: string;
  /** 4 for a new file. An existing one keeps its number, and refuses another. */
  readonly partitions?: number;
  /** Bytes of one append; by default as `tachograph topics create` sets Kafka's `max.message.bytes`. */
  readonly appendBytesMax?: number;
} & Partial<GroupTiming>;

const APPEND_BYTES_MAX = 4 * 1024 * 1024;
const BATCH = { recordsMax: 1_000, bytesMax: 1024 * 1024 };
const TIMING: GroupTiming = { now: Date.now, leaseMs: 5_000, pollMs: 250 };

/**
 * The ordered log in one SQLite file. Appends that are made in one turn of the event loop, to whatever partitions,
 * share one transaction and one fsync. Several processes may open the file, and their readers share the partitions
 * of a group. A write waits up to five seconds for another process that is writing, and blocks this one meanwhile:
 * `deadline` is looked at before, not during that.
 *
 * @throws where the file has another number of partitions, or is not a log's
 * @example
 * const log = await openEmbeddedLog({ file: 'data/log.sqlite' });
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { database, partitions } = openLogFile(options.file, options.partitions);
  return new EmbeddedLog(database, partitions, options);
}

export class EmbeddedLog implements EventLog {
  readonly #database: SqliteDatabase;
  readonly #description: LogDescription;
  readonly #timing: GroupTiming;
  readonly #tables: readonly PartitionTable[];
  readonly #groups: GroupStore;
  readonly #retention: Retention;
  readonly #commit: GroupCommit;
  readonly #appended: readonly Doorbell[];
  readonly #groupsChanged = new Doorbell();

  constructor(database: SqliteDatabase, partitions: number, options: EmbeddedLogOptions) {
    const { now = TIMING.now, leaseMs = TIMING.leaseMs, pollMs = TIMING.pollMs } = options;
    this.#database = database;
    this.#timing = { now, leaseMs, pollMs };
    const appendBytesMax = options.appendBytesMax ?? APPEND_BYTES_MAX;
    this.#description = { adapter: 'embedded', name: options.file, partitions, appendBytesMax };
    const ids = Array.from({ length: partitions }, (_, id) => id);
    this.#tables = ids.map((id) => new PartitionTable(database, id));
    this.#appended = ids.map(() => new Doorbell());
    this.#groups = new GroupStore(database, partitions);
    this.#retention = new Retention(database, partitions, this.#groups);
    this.#commit = new GroupCommit(database);
  }

  async describe(): Promise<LogDescription> {
    return this.#description;
  }

  async append(
    partition: number,
    records: readonly LogRecord[],
    deadline: AbortSignal,
  ): Promise<AppendOutcome> {
    const table = this.#table(partition);
    if (records.length === 0) throw new RangeError('an append holds at least one record');
    const rejected = rejectOversized(records, this.#description.appendBytesMax);
    if (rejected !== null) return rejected;
    if (deadline.aborted) return { kind: 'ambiguous', cause: deadline.reason };
    try {
      const baseOffset = await this.#commit.do(() => table.append(records, this.#timing.now()));
      this.#appended[partition]!.ring();
      return { kind: 'appended', baseOffset };
    } catch (error) {
      // After a failed fsync nobody knows what the disk holds: the log decides, when it is read again.
      return { kind: 'ambiguous', cause: error };
    }
  }

  async offsets(partition: number): Promise<{ readonly oldest: number; readonly next: number }> {
    return this.#table(partition).offsets();
  }

  async *readRange(partition: number, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    const table = this.#table(partition);
    for (let next = from; next < to;) {
      const records = table.read(next, to, BATCH);
      const last = records.at(-1);
      if (last === undefined) return;
      yield records;
      next = last.offset + 1;
      // A long read leaves room for the appends of the same process.
      await nextTurn();
    }
  }

  async openGroup(group: string, { instance }: GroupOptions = {}): Promise<GroupReader> {
    return new LeasedGroupReader(group, instance ?? null, {
      store: this.#groups,
      timing: this.#timing,
      read: (partition, from) => this.#table(partition).read(from, Number.MAX_SAFE_INTEGER, BATCH),
      appended: this.#appended,
      changed: this.#groupsChanged,
    });
  }

  /**
   * Removes the oldest appends of every partition that `policy` does not keep, by partition. What a group has not
   * read stays: see `heldBack`, and {@link forgetGroup} for a group that will not come back.
   */
  async trim(policy: RetentionPolicy): Promise<readonly Trimmed[]> {
    const all: Trimmed[] = [];
    for (const { partition } of this.#tables) {
      let removed = 0;
      let chunk;
      do {
        chunk = this.#retention.trimChunk(partition, policy, this.#timing.now());
        removed += chunk.removed;
        await nextTurn();
      } while (!chunk.done);
      all.push({ oldest: chunk.oldest, removed, heldBack: chunk.heldBack });
    }
    return all;
  }

  /** Drops the positions and the state of `group`; opened again, it starts at the oldest record. */
  async forgetGroup(group: string): Promise<void> {
    this.#groups.forget(group);
  }

  /** Closes the file, once what waits for its commit is in it. Readers must have ended before. */
  async close(): Promise<void> {
    this.#commit.flush();
    this.#database.close();
  }

  #table(partition: number): PartitionTable {
    const table = this.#tables[partition];
    if (table === undefined) throw new RangeError(`there is no partition ${partition}`);
    return table;
  }
}
