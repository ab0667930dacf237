import type { Bytes } from '@tachograph/wire';
import type { LogRecord, RecordHeaders, StoredRecord } from '../record.ts';
import type { SqliteDatabase, SqliteStatement } from '../sqlite.ts';

/** What a batch of {@link PartitionTable.read} may hold; it always holds one record where there is one. */
export type BatchLimits = { readonly recordsMax: number; readonly bytesMax: number };

/** The statements of one partition, prepared once. All of them are synchronous; writes run inside a transaction. */
export class PartitionTable {
  readonly partition: number;
  readonly #offsets: SqliteStatement;
  readonly #advance: SqliteStatement;
  readonly #insert: SqliteStatement;
  readonly #insertAppend: SqliteStatement;
  readonly #select: SqliteStatement;

  constructor(database: SqliteDatabase, partition: number) {
    this.partition = partition;
    this.#offsets = database.prepare('SELECT oldest, next FROM log_partition WHERE id = ?');
    this.#advance = database.prepare('UPDATE log_partition SET next = ? WHERE id = ?');
    this.#insert = database.prepare(
      `INSERT INTO record_${partition} ("offset", key, headers, value) VALUES (?, ?, ?, ?)`,
    );
    this.#insertAppend = database.prepare(
      'INSERT INTO log_append (partition, base, count, bytes, appended_ms) VALUES (?, ?, ?, ?, ?)',
    );
    this.#select = database.prepare(
      `SELECT "offset", key, headers, value FROM record_${partition}
       WHERE "offset" >= ? AND "offset" < ? ORDER BY "offset" LIMIT ?`,
    );
    this.#select.setReturnArrays(true);
  }

  offsets(): { oldest: number; next: number } {
    const row = this.#offsets.get(this.partition);
    if (row === undefined) throw new Error(`partition ${this.partition} is gone from the file`);
    return { oldest: Number(row['oldest']), next: Number(row['next']) };
  }

  /** Writes `records` at the end and answers the offset of the first one. */
  append(records: readonly LogRecord[], appendedMs: number): number {
    const base = this.offsets().next;
    let [offset, bytes] = [base, 0];
    for (const { key, value, headers } of records) {
      const text = JSON.stringify(headers);
      this.#insert.run(offset, key, text, value);
      bytes += key.length + text.length + value.length;
      offset++;
    }
    this.#insertAppend.run(this.partition, base, records.length, bytes, appendedMs);
    this.#advance.run(offset, this.partition);
    return base;
  }

  /** The first records with `from` ≤ offset < `to`. Nothing stays open after it, so writers are never held up. */
  read(from: number, to: number, { recordsMax, bytesMax }: BatchLimits): StoredRecord[] {
    const records: StoredRecord[] = [];
    let bytes = 0;
    for (const row of this.#select.iterate(from, to, recordsMax)) {
      // By position: see `setReturnArrays`.
      const [offset, key, headers, value] = [Number(row[0]), String(row[1]), String(row[2]), row[3] as Bytes];
      bytes += headers.length + value.length;
      if (records.length > 0 && bytes > bytesMax) break;
      records.push({
        partition: this.partition,
        offset,
        key,
        value,
        headers: JSON.parse(headers) as RecordHeaders,
      });
    }
    return records;
  }
}
