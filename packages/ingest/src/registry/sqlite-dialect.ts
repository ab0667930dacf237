import { setTimeout as delay } from 'node:timers/promises';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import { openSqlite, type SqliteDatabase, type SqliteStatement, type SqlValue } from '@tachograph/event-log';
import { storable } from './storable.ts';
import { RegistryUnavailableError } from './unavailable.ts';

/** How long a writer waits for the writers of other connections. */
const BUSY_WAIT_MS_MAX = 10_000;
const SQLITE_BUSY = 5;
/**
 * Result codes that say what the database cannot do now, whatever was asked: locked, out of memory, read-only, I/O
 * error, corrupt, full, cannot be opened, lock protocol, no database (SQLite, "Result and Error Codes").
 */
const UNAVAILABLE: ReadonlySet<number> = new Set([SQLITE_BUSY, 6, 7, 8, 10, 11, 13, 14, 15, 26]);
const STATEMENTS_MAX = 500;

/** Kysely over `node:sqlite`, with the driver that the caller keeps. */
export function sqliteDialect(driver: SqliteDriver): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** One connection to `file`, used by one transaction or one query at a time. */
export class SqliteDriver implements Driver {
  readonly #file: string;
  #connection: SqliteConnection | null = null;
  #busy: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async init(): Promise<void> {
    this.#connection = new SqliteConnection(openSqlite(this.#file));
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#busy;
    let release = (): void => undefined;
    this.#busy = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    this.#release = release;
    if (this.#connection === null) throw new RegistryUnavailableError('it is closed');
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  // "BEGIN IMMEDIATE" takes the write lock first, so that no statement inside can fail for want of it.
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(): Promise<void> {
    // Some errors (a full disk) have rolled back already.
    this.#connection?.rollback();
  }

  /**
   * Does `work`, whose transactions are not fsynced by themselves: a power cut may take back the newest of them,
   * in their order, and nothing else. The caller has the connection to itself meanwhile.
   */
  async withoutFsync<T>(work: () => Promise<T>): Promise<T> {
    this.#connection?.setSynchronous('NORMAL');
    try {
      return await work();
    } finally {
      this.#connection?.setSynchronous('FULL');
    }
  }

  async destroy(): Promise<void> {
    this.#connection?.close();
    this.#connection = null;
  }
}

type Prepared = { readonly statement: SqliteStatement; readonly answersRows: boolean };

class SqliteConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, Prepared>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
    // A synchronous wait would stop this process, and with it the other connection whose commit it waits for.
    database.exec('PRAGMA busy_timeout = 0');
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, answersRows } = this.#statement(sql);
    const values = (parameters as readonly SqlValue[]).map((parameter) => storable(parameter));
    const startedMs = performance.now();
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        if (answersRows) return { rows: statement.all(...values) as R[] };
        const { changes } = statement.run(...values);
        return { rows: [], numAffectedRows: BigInt(changes) };
      } catch (error) {
        const code = resultCode(error);
        if (code !== SQLITE_BUSY || performance.now() - startedMs > BUSY_WAIT_MS_MAX) {
          throw code !== null && UNAVAILABLE.has(code) ? new RegistryUnavailableError(error) : error;
        }
      }
      await delay(waitMs);
    }
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the registry does not stream');
  }

  /** Outside of a transaction. Not through a prepared statement: the pragma acts when it is compiled. */
  setSynchronous(level: 'NORMAL' | 'FULL'): void {
    this.#database.exec(`PRAGMA synchronous = ${level}`);
  }

  rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  close(): void {
    // Statements that were not collected yet would keep the file, and the lock of a transaction that nobody ends.
    this.rollback();
    this.#statements.clear();
    this.#database.close();
  }

  #statement(sql: string): Prepared {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear();
    const statement = this.#database.prepare(sql);
    // Asking a statement for its columns costs as much as running it.
    const prepared = { statement, answersRows: statement.columns().length > 0 };
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** SQLite's primary result code, or `null` where the error is none of SQLite's. */
function resultCode(error: unknown): number | null {
  // Not "instanceof Error": the driver's errors may come from another realm.
  return typeof error === 'object' && error !== null && 'errcode' in error
    ? Number(error.errcode) % 256
    : null;
}
