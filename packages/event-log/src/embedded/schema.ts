import { createGroupTables } from '../groups/schema.ts';
import { inTransaction, openSqlite, type SqliteDatabase } from '../sqlite.ts';

/** Raised by every change of the tables, so that an older build refuses a newer file. */
const SCHEMA_VERSION = 1;
const PARTITIONS_MAX = 256;

/** The number of partitions that a new file gets where nothing else is asked for. */
const PARTITIONS_DEFAULT = 4;

/**
 * Opens the file of an embedded log and makes its tables where it is new. The number of partitions is recorded
 * at creation: with another one, a device's records would go on in a second partition, out of order.
 *
 * @throws where the file has another number of partitions than `partitions`, or is not this log's.
 */
export function openLogFile(
  file: string,
  partitions: number | undefined,
): { database: SqliteDatabase; partitions: number } {
  const wanted = partitions ?? PARTITIONS_DEFAULT;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > PARTITIONS_MAX)
    throw new RangeError(`a log has 1 to ${PARTITIONS_MAX} partitions`);
  const database = openSqlite(file);
  try {
    const recorded = inTransaction(database, () => recordedPartitions(database, wanted));
    if (partitions !== undefined && recorded !== partitions) {
      throw new Error(`${file} was made with ${recorded} partitions and cannot be opened with ${partitions}`);
    }
    return { database, partitions: recorded };
  } catch (error) {
    database.close();
    throw error;
  }
}

function recordedPartitions(database: SqliteDatabase, wanted: number): number {
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version === 0) createTables(database, wanted);
  else if (version !== SCHEMA_VERSION) throw new Error(`unknown version of the log file: ${String(version)}`);
  return Number(database.prepare('SELECT count(*) AS n FROM log_partition').get()?.['n']);
}

function createTables(database: SqliteDatabase, partitions: number): void {
  database.exec(`
    -- The offsets of a partition: [oldest, next) can be read. Kept apart from the records, which may all be trimmed.
    CREATE TABLE log_partition (
      id INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, next INTEGER NOT NULL
    );
    -- One row an append: what retention removes is whole appends.
    CREATE TABLE log_append (
      partition INTEGER NOT NULL, base INTEGER NOT NULL, count INTEGER NOT NULL,
      bytes INTEGER NOT NULL, appended_ms INTEGER NOT NULL,
      PRIMARY KEY (partition, base)
    ) WITHOUT ROWID;
  `);
  createGroupTables(database);
  const insert = database.prepare('INSERT INTO log_partition (id, oldest, next) VALUES (?, 0, 0)');
  for (let id = 0; id < partitions; id++) {
    // A table each, so that the offset is the row id and every append goes to a table's end.
    database.exec(`CREATE TABLE record_${id} (
      "offset" INTEGER PRIMARY KEY, key TEXT NOT NULL, headers TEXT NOT NULL, value BLOB NOT NULL
    )`);
    insert.run(id);
  }
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}
