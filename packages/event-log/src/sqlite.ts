import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Bytes } from '@tachograph/wire';

/** What a column can hold. Integers beyond 2^53 are refused by the driver; booleans are 0 and 1. */
export type SqlValue = null | number | string | Bytes;
export type SqlRow = { readonly [column: string]: SqlValue };

/** The part of `node:sqlite`'s API that is used here. Everything is synchronous. */
export interface SqliteStatement {
  run(...parameters: readonly SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  /** The first row, or `undefined`. */
  get(...parameters: readonly SqlValue[]): SqlRow | undefined;
  all(...parameters: readonly SqlValue[]): SqlRow[];
  iterate(...parameters: readonly SqlValue[]): IterableIterator<SqlRow>;
  /** The columns of the rows that it answers; none for a statement that only writes. */
  columns(): readonly { readonly name: string }[];
  /** Whether rows are arrays from now on, indexed by column number: half the price of objects where there are many. */
  setReturnArrays(enabled: boolean): void;
}

export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): void;
  close(): void;
  readonly isTransaction: boolean;
}

type SqliteModule = { readonly DatabaseSync: new (file: string) => SqliteDatabase };

// Loaded only where it is needed, and without waiting: opening a database stays synchronous.
const require = createRequire(import.meta.url);

/** How long a statement waits for another process that is writing. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens `file` (made, with its folder, where it is missing; readable by its owner only) so that a commit means
 * fsynced: WAL with `synchronous=FULL`. This is the only place that reaches SQLite.
 *
 * @throws where the file cannot be opened or is no database.
 */
export function openSqlite(file: string): SqliteDatabase {
  mkdirSync(dirname(file), { recursive: true });
  // SQLite gives the WAL and the shared memory the permissions of the file.
  closeSync(openSync(file, 'a', 0o600));
  const { DatabaseSync } = sqliteModule();
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') {
    database.close();
    throw new Error(
      `the file system of ${file} does not allow write-ahead logging (mode is ${String(mode)})`,
    );
  }
  // The default of WAL builds may be NORMAL, which does not sync at commit. fullfsync reaches the platter on macOS.
  database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON');
  return database;
}

/**
 * Runs `work` in one write transaction: all of it or, where it throws, none. `work` is synchronous on purpose,
 * since another caller of the same connection would otherwise end up inside this transaction.
 */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // Some errors (a full disk) have rolled back already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Node's own module where the runtime has it, complete and unflagged; else the package with the same API. */
function sqliteModule(): SqliteModule {
  const builtIn: unknown = process.getBuiltinModule('node:sqlite');
  if (isSqliteModule(builtIn)) return builtIn;
  const installed: unknown = require('@photostructure/sqlite');
  if (!isSqliteModule(installed))
    throw new Error('@photostructure/sqlite does not have the API of node:sqlite');
  return installed;
}

function isSqliteModule(module: unknown): module is SqliteModule {
  if (typeof module !== 'object' || module === null || !('DatabaseSync' in module)) return false;
  const statement = 'StatementSync' in module ? module.StatementSync : undefined;
  const prototype: object = Object(typeof statement === 'function' ? statement.prototype : null);
  return 'columns' in prototype && 'setReturnArrays' in prototype;
}
