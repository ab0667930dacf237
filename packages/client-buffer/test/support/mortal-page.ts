import type { Rows } from '../../src/core/rows.ts';
import type { Change, Identity, LogStore, Select, Snapshot } from '../../src/log-store.ts';
import type { CacheHooks } from '../../src/offline-types.ts';

/**
 * A page that dies at one of the places where it waits: from then on nothing of it comes back. What it had under way is
 * done (`after`) or not (`before`).
 */
export class MortalPage {
  /** The place at which it dies, counted from {@link arm} on. */
  #left = Infinity;
  #mode: 'before' | 'after' = 'before';
  dead = false;
  /** Where it died. */
  place = '';

  arm(place: number, mode: 'before' | 'after'): void {
    [this.#left, this.#mode] = [place, mode];
  }

  /** Runs one piece of work that the page waits for. */
  async live<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.dead) return forever();
    if (--this.#left > 0) return work();
    this.dead = true;
    this.place = `${this.#mode} ${name}`;
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
