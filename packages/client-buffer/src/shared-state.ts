import { EMPTY_ROWS, type Rows } from './core/rows.ts';
import type { Change, LogStore, Select, Snapshot } from './log-store.ts';

/** The store, and the newest rows that this tab has seen of it. */
export class SharedState {
  #store: LogStore;
  #rows: Rows = EMPTY_ROWS;
  readonly #listeners: ((rows: Rows) => void)[] = [];

  constructor(store: LogStore) {
    this.#store = store;
  }

  get store(): LogStore {
    return this.#store;
  }

  /** Goes on in another store, because this one does not work. */
  fallBack(store: LogStore): void {
    this.#store.close();
    this.#store = store;
    this.#see(EMPTY_ROWS);
  }

  /** As of the latest transaction of this tab; another tab may have gone on since. */
  get rows(): Rows {
    return this.#rows;
  }

  onRows(listener: (rows: Rows) => void): void {
    this.#listeners.push(listener);
  }

  async read(select?: Select): Promise<Snapshot> {
    const snapshot = await this.#store.read(select);
    this.#see(snapshot.rows);
    return snapshot;
  }

  async transact<T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select): Promise<T> {
    const { result, rows } = await this.#store.transact(plan, select);
    this.#see(rows);
    return result;
  }

  #see(rows: Rows): void {
    this.#rows = rows;
    for (const listener of this.#listeners) listener(rows);
  }
}
