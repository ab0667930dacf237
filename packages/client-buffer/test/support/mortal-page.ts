import type { Rows } from '../../src/core/rows.ts';
import type { Change, Identity, LogStore, Select, Snapshot } from '../../src/log-store.ts';
import type { CacheHooks } from '../../src/offline-types.ts';

/** Where a page waits. */
export type Place = 'read' | 'transact' | 'identity' | 'cacheKey' | 'purge' | 'isEmpty';

/**
 * A page that dies at one of the places where it waits: from then on nothing of it comes back. What it had under way is
 * done (`after`) or not (`before`).
 */
export class MortalPage {
  /** What it dies of, at which time of it, counted from {@link arm} on. */
  #name: Place | null = null;
  #left = 0;
  #mode: 'before' | 'after' = 'before';
  dead = false;

  arm(name: Place, count: number, mode: 'before' | 'after'): void {
    [this.#name, this.#left, this.#mode] = [name, count, mode];
  }

  /** Runs one piece of work that the page waits for. */
  async live<T>(name: Place, work: () => Promise<T>): Promise<T> {
    if (this.dead) return forever();
    if (name !== this.#name || --this.#left > 0) return work();
    this.dead = true;
    if (this.#mode === 'after') await work();
    return forever();
  }

  store(inner: LogStore): LogStore {
    return {
      durable: inner.durable,
      read: (select?: Select) => this.live('read', () => inner.read(select)),
      transact: <T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select) =>
        this.live<{ readonly result: T; readonly rows: Rows }>('transact', () =>
          inner.transact(plan, select),
        ),
      identity: (device): Promise<Identity | null> => this.live('identity', () => inner.identity(device)),
      cacheKey: (scope) => this.live('cacheKey', () => inner.cacheKey(scope)),
      close: () => undefined,
    };
  }

  hooks(inner: CacheHooks): CacheHooks {
    return {
      purge: (request) => this.live('purge', () => inner.purge(request)),
      isEmpty: (request) => this.live('isEmpty', () => inner.isEmpty(request)),
    };
  }
}

function forever<T>(): Promise<T> {
  return new Promise(() => undefined);
}
