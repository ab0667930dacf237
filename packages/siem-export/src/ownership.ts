import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openSqlite } from '@tachograph/event-log';

export type Ownership = {
  /** Names this folder for good: a folder that was deleted and made again has another one. */
  readonly instance: string;
  readonly release: () => void;
};

/**
 * Takes the export folder for this process. Two writers would overwrite each other's lines, so a second one is
 * refused. The lock is SQLite's write lock: the system frees it when the process dies, however it dies.
 *
 * @throws where another process has the folder
 */
export function takeOwnership(exportDir: string): Ownership {
  const database = openSqlite(join(exportDir, '.owner.sqlite'));
  try {
    // Whoever has it keeps it for as long as it runs: waiting would only block this process.
    database.exec('PRAGMA busy_timeout = 0');
    database.exec(
      'CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), instance TEXT NOT NULL)',
    );
    database.prepare('INSERT INTO owner VALUES (1, ?) ON CONFLICT DO NOTHING').run(randomUUID());
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    database.close();
    throw new Error(`another process exports into ${exportDir}, or the folder cannot be written`, {
      cause: error,
    });
  }
  const instance = String(database.prepare('SELECT instance FROM owner').get()?.['instance']);
  return {
    instance,
    release() {
      // A statement that is not collected yet keeps a closed connection's locks; the end of the transaction does not.
      database.exec('ROLLBACK');
      database.close();
    },
  };
}
