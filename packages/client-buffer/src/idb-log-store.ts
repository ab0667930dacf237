import { openDB, type IDBPDatabase } from 'idb';
import type { DeviceId } from '@tachograph/wire';
import type { Timers } from './adapters.ts';
import type { Rows } from './core/rows.ts';
import { AuditBufferError } from './errors.ts';
import {
  cacheKeyName,
  hasLanded,
  snapshotOf,
  STORES,
  write,
  type Schema,
  type Transaction,
} from './idb-transaction.ts';
import type { Change, Identity, LogStore, Select, Snapshot } from './log-store.ts';

type Database = IDBPDatabase<Schema>;

/** Never raised: an upgrade hangs against a frozen tab, so a new shape is a new database name. */
const VERSION = 1;
const ATTEMPTS_MAX = 3;

export type IdbOptions = {
  /** Milliseconds after which an `open()` that settles neither way counts as failed. */
  readonly openTimeoutMs: number;
  readonly timers: Timers;
};

/** The store of browsers: IndexedDB, every write with `durability: 'strict'`. */
export class IdbLogStore implements LogStore {
  readonly durable = true;
  readonly #name: string;
  readonly #options: IdbOptions;
  #database: Promise<Database> | null = null;
  #closed = false;

  constructor(name: string, options: IdbOptions) {
    this.#name = name;
    this.#options = options;
  }

  read(select?: Select): Promise<Snapshot> {
    return this.#run('readonly', (transaction) => snapshotOf(transaction, select));
  }

  transact<T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select): Promise<{ result: T; rows: Rows }> {
    let tried: Change<T> | null = null;
    return this.#run('readwrite', async (transaction) => {
      const snapshot = await snapshotOf(transaction, select);
      // The attempt before may have been committed, and only its `complete` have been lost with the handle.
      if (tried !== null && (await hasLanded(transaction, tried, snapshot.rows)))
        return { result: tried.result, rows: snapshot.rows };
      let change: Change<T>;
      try {
        change = plan(snapshot);
      } catch (cause) {
        throw new PlanFailure(cause);
      }
      write(transaction, change);
      tried = change;
      return { result: change.result, rows: { ...snapshot.rows, ...change.rows } };
    });
  }

  identity(device: DeviceId): Promise<Identity | null> {
    return this.#run(
      'readonly',
      async (transaction) => (await transaction.objectStore('identities').get(device)) ?? null,
    );
  }

  cacheKey(scope: string): Promise<CryptoKey | null> {
    return this.#run('readonly', async (transaction) => {
      const key = await transaction.objectStore('rows').get(cacheKeyName(scope));
      return key !== undefined && 'algorithm' in key ? key : null;
    });
  }

  close(): void {
    this.#closed = true;
    const database = this.#database;
    this.#database = null;
    // An open that fails after all has nothing to close, and has told whoever asked for it.
    void database?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  /** Runs one transaction to its `complete`. A dead handle is dropped and reopened, a bounded number of times. */
  async #run<T, Mode extends 'readonly' | 'readwrite'>(
    mode: Mode,
    work: (transaction: Transaction<Mode>) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runOnce(await this.#open(), mode, work);
      } catch (error) {
        if (error instanceof PlanFailure) throw error.cause;
        if (this.#closed || attempt === ATTEMPTS_MAX || !isTransient(error)) throw storageError(error);
        this.#forget();
      }
    }
  }

  #forget(): void {
    const dead = this.#database;
    this.#database = null;
    void dead?.then(
      (database) => database.close(),
      () => undefined,
    );
  }

  #open(): Promise<Database> {
    if (this.#closed) throw new AuditBufferError('ERR_BUFFER_CLOSED', 'the store was closed');
    const opening = (this.#database ??= this.#openInTime());
    // A failed attempt is not kept, so that the next transaction opens anew.
    opening.catch(() => {
      if (this.#database === opening) this.#database = null;
    });
    return opening;
  }

  async #openInTime(): Promise<Database> {
    const opening = openDB<Schema>(this.#name, VERSION, {
      upgrade(database) {
        database.createObjectStore('rows');
        database.createObjectStore('blocks', { keyPath: ['device', 'end'] });
        database.createObjectStore('identities', { keyPath: 'device' });
      },
      // Nothing of ours asks for a newer version; whoever does (a deletion by the user) may have it.
      blocking: () => this.#forget(),
      terminated: () => this.#forget(),
    });
    let cancel = (): void => undefined;
    const timeout = new Promise<never>((_, reject) => {
      cancel = this.#options.timers.setTimeout(
        () => reject(new AuditBufferError('ERR_STORAGE', 'IndexedDB did not open within its time')),
        this.#options.openTimeoutMs,
      );
    });
    try {
      return await Promise.race([opening, timeout]);
    } catch (error) {
      // An open that succeeds after its time would keep a handle that nobody knows.
      void opening.then(
        (late) => late.close(),
        () => undefined,
      );
      throw error;
    } finally {
      cancel();
    }
  }
}

/** Carries an error of `plan` past the retries: it is the caller's own. */
class PlanFailure extends Error {
  constructor(cause: unknown) {
    super('plan failed', { cause });
  }
}

async function runOnce<T, Mode extends 'readonly' | 'readwrite'>(
  database: Database,
  mode: Mode,
  work: (transaction: Transaction<Mode>) => Promise<T>,
): Promise<T> {
  // `relaxed` is the default of every engine: what is not flushed is not durable.
  const transaction = database.transaction(STORES, mode, { durability: 'strict' });
  // `done` is awaited below on the good path; on the other one its rejection repeats what was thrown already.
  transaction.done.catch(() => undefined);
  try {
    const result = await work(transaction);
    // A request's success may be followed by the transaction's abort: only `complete` counts.
    await transaction.done;
    return result;
  } catch (error) {
    abort(transaction);
    throw error;
  }
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch (error) {
    // It has ended by itself already, which is what was wanted.
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
  }
}

/** Failures of the handle or of a background page, not of what was asked. */
function isTransient(error: unknown): boolean {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  return ['InvalidStateError', 'UnknownError', 'AbortError', 'TransactionInactiveError'].includes(name);
}

function storageError(error: unknown): AuditBufferError {
  if (error instanceof AuditBufferError) return error;
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  // By name: engines differ in class and code, and `estimate()` is no guide.
  return name === 'QuotaExceededError'
    ? new AuditBufferError('ERR_STORAGE_FULL', 'the browser refuses to store more', { cause: error })
    : new AuditBufferError('ERR_STORAGE', `IndexedDB failed (${name})`, { cause: error });
}
