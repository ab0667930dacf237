import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite, type SqliteDatabase } from '@tachograph/event-log';
import { CliFailure } from './cli-failure.ts';
import { errorMessage, isSqliteBusy } from './error-code.ts';

/** Work in a data folder that only one process may do at a time. The exporter guards its own folder likewise. */
export type Role = 'ingest' | 'control';

export type FolderLock = { readonly release: () => void };

/**
 * Takes the locks of `roles` in `dataDir`, so that two servers never work on one folder unnoticed.
 *
 * A lock is an open write transaction on a file of its own: the operating system ends it with the process, however
 * that dies. A file with a process id would outlive a power cut, and in a container every process has the same id.
 *
 * @throws CliFailure where another process holds one of them.
 */
export function lockFolder(dataDir: string, roles: readonly Role[]): FolderLock {
  const folder = join(dataDir, 'locks');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const held: SqliteDatabase[] = [];
  const release = (): void => {
    for (const database of held.splice(0)) {
      database.exec('ROLLBACK');
      database.close();
    }
  };
  try {
    for (const role of roles) held.push(take(dataDir, join(folder, `${role}.sqlite`), role));
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

/** Whether a process holds the lock of `role` in `dataDir`; its process id where that is known. */
export function lockHolder(dataDir: string, role: Role): number | null {
  const database = openSqlite(join(dataDir, 'locks', `${role}.sqlite`));
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK');
    return null;
  } catch (error) {
    if (!isSqliteBusy(error)) throw error;
    return holderOf(database);
  } finally {
    database.close();
  }
}

function take(dataDir: string, file: string, role: Role): SqliteDatabase {
  const database = openSqlite(file);
  try {
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL)');
    database.exec('DELETE FROM holder');
    database.prepare('INSERT INTO holder (pid) VALUES (?)').run(process.pid);
    // Committed first, so that who comes second can read whom to look for.
    database.exec('COMMIT; BEGIN IMMEDIATE');
    return database;
  } catch (error) {
    if (!isSqliteBusy(error)) {
      database.close();
      throw error;
    }
    const holder = holderOf(database);
    database.close();
    throw new CliFailure(
      `Another process ${holder === 0 ? '' : `(${holder}) `}already does the work of ${role} in ${dataDir}.`,
      ['Stop it first, or give this one a folder of its own with DATA_DIR.'],
      { cause: error },
    );
  }
}

/** The process id that the holder left, 0 where it has not written one yet. */
function holderOf(database: SqliteDatabase): number {
  try {
    return Number(database.prepare('SELECT pid FROM holder').get()?.['pid'] ?? 0);
  } catch (error) {
    // The holder is between making the file and writing to it.
    if (/no such table/.test(errorMessage(error))) return 0;
    throw error;
  }
}
