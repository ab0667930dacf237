import type { GroupStore } from '../groups/group-store.ts';
import { inTransaction, type SqliteDatabase, type SqliteStatement } from '../sqlite.ts';

/** How much of a partition is kept. What no group has read yet is kept in any case. */
export type RetentionPolicy = {
  /** Appends older than this are removed. */
  readonly ageMsMax?: number;
  /** The oldest appends are removed until a partition's records take no more than this. */
  readonly bytesMax?: number;
};

/** What a trim did in one partition. `heldBack`: more would go if the slowest group had read it. */
export type Trimmed = { readonly oldest: number; readonly removed: number; readonly heldBack: boolean };

/** Records removed in one transaction: a bound on how long an append may have to wait. */
const CHUNK_RECORDS = 5_000;

/** Removes the oldest appends of a partition, whole ones only, so that a reader from the start finds their edges. */
export class Retention {
  readonly #database: SqliteDatabase;
  readonly #groups: GroupStore;
  readonly #oldest: SqliteStatement;
  readonly #appends: SqliteStatement;
  readonly #bytes: SqliteStatement;
  readonly #forgetAppends: SqliteStatement;
  readonly #moveOldest: SqliteStatement;
  readonly #deleteRecords: readonly SqliteStatement[];

  constructor(database: SqliteDatabase, partitions: number, groups: GroupStore) {
    this.#database = database;
    this.#groups = groups;
    this.#oldest = database.prepare('SELECT oldest FROM log_partition WHERE id = ?');
    this.#appends = database.prepare(
      'SELECT base, count, bytes, appended_ms FROM log_append WHERE partition = ? ORDER BY base',
    );
    this.#bytes = database.prepare('SELECT sum(bytes) AS bytes FROM log_append WHERE partition = ?');
    this.#forgetAppends = database.prepare('DELETE FROM log_append WHERE partition = ? AND base < ?');
    this.#moveOldest = database.prepare('UPDATE log_partition SET oldest = ? WHERE id = ?');
    this.#deleteRecords = Array.from({ length: partitions }, (_, id) =>
      database.prepare(`DELETE FROM record_${id} WHERE "offset" < ?`),
    );
  }

  /** One chunk of a partition's trim; `done` when there is nothing more to remove. */
  trimChunk(partition: number, policy: RetentionPolicy, nowMs: number): Trimmed & { readonly done: boolean } {
    return inTransaction(this.#database, () => {
      const cut = this.#findCut(partition, policy, nowMs);
      if (cut.removed === 0) return { ...cut, done: true };
      this.#deleteRecords[partition]!.run(cut.oldest);
      this.#forgetAppends.run(partition, cut.oldest);
      this.#moveOldest.run(cut.oldest, partition);
      return cut;
    });
  }

  #findCut(partition: number, policy: RetentionPolicy, nowMs: number): Trimmed & { readonly done: boolean } {
    const readByAll = this.#groups.lowestNeeded(partition) ?? Number.MAX_SAFE_INTEGER;
    let bytes = Number(this.#bytes.get(partition)?.['bytes'] ?? 0);
    let [oldest, removed] = [Number(this.#oldest.get(partition)?.['oldest']), 0];
    for (const row of this.#appends.iterate(partition)) {
      const [base, count] = [Number(row['base']), Number(row['count'])];
      const tooOld = policy.ageMsMax !== undefined && Number(row['appended_ms']) < nowMs - policy.ageMsMax;
      const tooMuch = policy.bytesMax !== undefined && bytes > policy.bytesMax;
      if (!tooOld && !tooMuch) return { oldest, removed, heldBack: false, done: true };
      if (base + count > readByAll) return { oldest, removed, heldBack: true, done: true };
      if (removed >= CHUNK_RECORDS) return { oldest, removed, heldBack: false, done: false };
      bytes -= Number(row['bytes']);
      removed += count;
      oldest = base + count;
    }
    return { oldest, removed, heldBack: false, done: true };
  }
}
