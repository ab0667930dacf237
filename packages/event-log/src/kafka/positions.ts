import { createGroupTables } from '../groups/schema.ts';
import { inTransaction, openSqlite, type SqliteDatabase } from '../sqlite.ts';

/** Raised by every change of the tables, so that an older build refuses a newer file. */
const SCHEMA_VERSION = 1;

/** What positions belong to: in another topic, or the same name made anew elsewhere, they would mean other records. */
export type PositionsOwner = {
  readonly cluster: string;
  readonly topic: string;
  readonly partitions: number;
};

/**
 * Opens the file of the groups' positions and their state, and makes it where it is missing.
 * @throws where it belongs to another topic, cluster or number of partitions
 */
export function openPositions(file: string, owner: PositionsOwner): SqliteDatabase {
  const database = openSqlite(file);
  try {
    inTransaction(database, () => {
      const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
      if (version === 0) createTables(database, owner);
      else if (version !== SCHEMA_VERSION) throw new Error(`unknown version of ${file}: ${String(version)}`);
    });
    const row = database.prepare('SELECT cluster, topic, partitions FROM owner').get();
    for (const name of ['cluster', 'topic', 'partitions'] as const) {
      if (row?.[name] === owner[name]) continue;
      throw new Error(
        `${file} holds positions of another log: its ${name} is ${String(row?.[name])}, not ${owner[name]}`,
      );
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createTables(database: SqliteDatabase, { cluster, topic, partitions }: PositionsOwner): void {
  database.exec(`
    CREATE TABLE owner (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      cluster TEXT NOT NULL, topic TEXT NOT NULL, partitions INTEGER NOT NULL
    );
  `);
  database.prepare('INSERT INTO owner VALUES (1, ?, ?, ?)').run(cluster, topic, partitions);
  createGroupTables(database);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}
