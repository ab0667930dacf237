import { inTransaction, type SqliteDatabase } from '../sqlite.ts';

type Waiting = {
  /** Writes, and answers what tells the caller once that is committed. */
  readonly work: () => () => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Puts what several callers write in one turn of the event loop into one transaction, which costs one fsync
 * instead of one each. They succeed together, and each learns of a failure by the same error: the transaction was
 * all of them or nothing, or nobody knows.
 */
export class GroupCommit {
  readonly #database: SqliteDatabase;
  #waiting: Waiting[] = [];

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** The result of `work`, which is synchronous, once the transaction that it was done in is committed. */
  do<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        work: () => {
          const result = work();
          return () => resolve(result);
        },
        reject,
      });
      // After the events that are ready now: whoever they make write is still in time.
      if (this.#waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Commits what waits now. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    try {
      const committed = inTransaction(this.#database, () => waiting.map(({ work }) => work()));
      for (const tell of committed) tell();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
