import { randomUUID } from 'node:crypto';
import { PartitionLost, type StateChanges } from '../port.ts';
import { inTransaction, type SqliteDatabase, type SqliteStatement } from '../sqlite.ts';

/** The group's own state of this name: the oldest offset that it will read again. */
export const HOLD_KEY = 'log/hold';

/** One reader of one group, for the span of one `run`. */
export type Member = {
  readonly group: string;
  readonly id: string;
  /** What the ids of all lives of one named reader begin with; `null` for a reader without a name. */
  readonly lives: string | null;
};

export function newMember(group: string, instance: string | null): Member {
  const lives = instance === null ? null : `${instance}/`;
  return { group, id: `${lives ?? ''}${randomUUID()}`, lives };
}

/** What a heartbeat finds: the partitions that a member has, and the ones that it should have. */
export type Shares = { readonly owned: ReadonlySet<number>; readonly wanted: ReadonlySet<number> };

/**
 * The rows of the groups: who owns which partition until when, positions, and the state that belongs to them.
 * Expiry only decides when somebody else may take over; what keeps two owners from both committing is the owner's
 * name in the row, checked inside the transaction of every commit. So no clock can make a commit wrong.
 */
export class GroupStore {
  readonly #database: SqliteDatabase;
  readonly #partitions: number;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: SqliteDatabase, partitions: number) {
    this.#database = database;
    this.#partitions = partitions;
    this.#statements = prepare(database);
  }

  /** Takes from the earlier lives of `member` what they have. Their names in the rows go, so none can commit. */
  replaceEarlier({ group, lives }: Member): void {
    if (lives === null) return;
    const { releaseLives, removeLives } = this.#statements;
    inTransaction(this.#database, () => {
      releaseLives.run(group, lives, lives);
      removeLives.run(group, lives, lives);
    });
  }

  /**
   * Says that `member` is alive until `expiresMs`, and answers its share. The members that are alive at `nowMs`,
   * sorted by name, take the partitions in turn; so all of them compute the same shares.
   *
   * @throws where a later life of the same reader has replaced this one
   */
  heartbeat({ group, id, lives }: Member, nowMs: number, expiresMs: number): Shares {
    const { join, removeExpired, members, renew, owned, otherLife } = this.#statements;
    return inTransaction(this.#database, () => {
      if (lives !== null && otherLife.get(group, lives, lives, id) !== undefined)
        throw new Error(`a later reader of the same name has replaced this one in the group ${group}`);
      join.run(group, id, expiresMs);
      removeExpired.run(group, nowMs);
      renew.run(expiresMs, group, id);
      const names = members.all(group).map((row) => row['member']);
      const turn = names.indexOf(id);
      const wanted = new Set<number>();
      if (turn >= 0) for (let p = turn; p < this.#partitions; p += names.length) wanted.add(p);
      return { owned: new Set(owned.all(group, id).map((row) => Number(row['partition']))), wanted };
    });
  }

  /** Takes `partition` where nobody has it or its owner's time is over. Answers the position, or `null`. */
  claim({ group, id }: Member, partition: number, nowMs: number, expiresMs: number): number | null {
    const { create, claim, position } = this.#statements;
    return inTransaction(this.#database, () => {
      create.run(group, partition);
      if (Number(claim.run(id, expiresMs, group, partition, nowMs).changes) === 0) return null;
      return Number(position.get(group, partition)?.['position']);
    });
  }

  owns({ group, id }: Member, partition: number): boolean {
    return this.#statements.owner.get(group, partition)?.['owner'] === id;
  }

  release({ group, id }: Member, partition: number): void {
    this.#statements.release.run(group, partition, id);
  }

  leave({ group, id }: Member): void {
    inTransaction(this.#database, () => {
      this.#statements.releaseAll.run(group, id);
      this.#statements.leave.run(group, id);
    });
  }

  /** Moves the position and stores the changes, if `member` owns the partition and the position does not move back. */
  commit({ group, id }: Member, partition: number, next: number, changes: StateChanges): void {
    const { move, put, remove } = this.#statements;
    inTransaction(this.#database, () => {
      if (Number(move.run(next, group, partition, id, next).changes) === 0)
        throw new PartitionLost(partition);
      for (const [key, value] of changes) {
        if (value === null) remove.run(group, partition, key);
        else put.run(group, partition, key, value);
      }
    });
  }

  load(group: string, partition: number, keys: readonly string[]): Map<string, string> {
    const values = new Map<string, string>();
    for (const key of keys) {
      const row = this.#statements.value.get(group, partition, key);
      if (row !== undefined) values.set(key, String(row['value']));
    }
    return values;
  }

  /** The lowest offset that any group will read in `partition`: nobody needs what lies before it. */
  lowestNeeded(partition: number): number | null {
    const lowest = this.#statements.lowest.get(partition)?.['lowest'];
    return typeof lowest === 'number' ? lowest : null;
  }

  /** Every group's position in `partition`. */
  positions(partition: number): { readonly group: string; readonly position: number }[] {
    const rows = this.#statements.positions.all(partition);
    return rows.map(({ name, position }) => ({ group: String(name), position: Number(position) }));
  }

  /** Takes `group` back to `position` in `partition`, whoever owns it, and removes the value under `key`. */
  rewind(group: string, partition: number, position: number, key: string): void {
    inTransaction(this.#database, () => {
      this.#statements.rewind.run(position, group, partition);
      this.#statements.remove.run(group, partition, key);
    });
  }

  /** Drops a group's positions and state: it no longer holds back what may be trimmed. */
  forget(group: string): void {
    inTransaction(this.#database, () => {
      for (const statement of this.#statements.forget) statement.run(group);
    });
  }
}

function prepare(database: SqliteDatabase) {
  const sql = (text: string): SqliteStatement => database.prepare(text);
  return {
    releaseLives: sql(`UPDATE group_partition SET owner = NULL
      WHERE name = ? AND substr(owner, 1, length(?)) = ?`),
    removeLives: sql('DELETE FROM group_member WHERE name = ? AND substr(member, 1, length(?)) = ?'),
    otherLife: sql(`SELECT 1 FROM group_member
      WHERE name = ? AND substr(member, 1, length(?)) = ? AND member <> ?`),
    join: sql(`INSERT INTO group_member (name, member, expires_ms) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms`),
    leave: sql('DELETE FROM group_member WHERE name = ? AND member = ?'),
    removeExpired: sql('DELETE FROM group_member WHERE name = ? AND expires_ms <= ?'),
    members: sql('SELECT member FROM group_member WHERE name = ? ORDER BY member'),
    create: sql(`INSERT INTO group_partition (name, partition, position, owner, expires_ms)
      VALUES (?, ?, 0, NULL, 0) ON CONFLICT DO NOTHING`),
    claim: sql(`UPDATE group_partition SET owner = ?, expires_ms = ?
      WHERE name = ? AND partition = ? AND (owner IS NULL OR expires_ms <= ?)`),
    renew: sql('UPDATE group_partition SET expires_ms = ? WHERE name = ? AND owner = ?'),
    release: sql('UPDATE group_partition SET owner = NULL WHERE name = ? AND partition = ? AND owner = ?'),
    releaseAll: sql('UPDATE group_partition SET owner = NULL WHERE name = ? AND owner = ?'),
    owned: sql('SELECT partition FROM group_partition WHERE name = ? AND owner = ?'),
    owner: sql('SELECT owner FROM group_partition WHERE name = ? AND partition = ?'),
    position: sql('SELECT position FROM group_partition WHERE name = ? AND partition = ?'),
    lowest: sql(`SELECT min(min(p.position, coalesce(CAST(s.value AS INTEGER), p.position))) AS lowest
      FROM group_partition p LEFT JOIN group_state s
        ON s.name = p.name AND s.partition = p.partition AND s.key = '${HOLD_KEY}'
      WHERE p.partition = ?`),
    positions: sql('SELECT name, position FROM group_partition WHERE partition = ?'),
    rewind: sql('UPDATE group_partition SET position = ?, owner = NULL WHERE name = ? AND partition = ?'),
    move: sql(`UPDATE group_partition SET position = ?
      WHERE name = ? AND partition = ? AND owner = ? AND position <= ?`),
    put: sql(`INSERT INTO group_state (name, partition, key, value) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value`),
    remove: sql('DELETE FROM group_state WHERE name = ? AND partition = ? AND key = ?'),
    value: sql('SELECT value FROM group_state WHERE name = ? AND partition = ? AND key = ?'),
    forget: ['group_partition', 'group_member', 'group_state'].map((table) =>
      sql(`DELETE FROM ${table} WHERE name = ?`),
    ),
  };
}
