import type { SqliteDatabase } from '../sqlite.ts';

/** Makes the tables of the groups, in the transaction that makes the rest of the file. */
export function createGroupTables(database: SqliteDatabase): void {
  database.exec(`
    -- Who reads a partition for a group, until when, and how far it has come.
    CREATE TABLE group_partition (
      name TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL,
      owner TEXT, expires_ms INTEGER NOT NULL,
      PRIMARY KEY (name, partition)
    ) WITHOUT ROWID;
    CREATE TABLE group_member (
      name TEXT NOT NULL, member TEXT NOT NULL, expires_ms INTEGER NOT NULL,
      PRIMARY KEY (name, member)
    ) WITHOUT ROWID;
    CREATE TABLE group_state (
      name TEXT NOT NULL, partition INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (name, partition, key)
    );
  `);
}
