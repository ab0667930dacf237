import type { EventLog } from '@tachograph/event-log';
import type { KyselyPlugin } from 'kysely';
import type { Db, Registry } from '../src/registry/registry.ts';
import type { Timing } from '../src/timing.ts';

const FOR_EVER = new Promise<never>(() => undefined);

/**
 * What a node stands on, up to the await at which it dies: that one and every later one never resolves, as for a
 * process that is gone. What the store had done until then is done; a transaction that was open ends with the
 * connection, which whoever holds it has to close.
 */
export class Mortal {
  /** Resolves when it has died. */
  readonly death: Promise<void>;
  #die: () => void = () => undefined;
  readonly #stores: { readonly close: () => Promise<void> }[] = [];
  #awaitsLeft = Infinity;
  /** The awaits that are to fail, counted from now. */
  #failsIn: number[] = [];
  #diesAppended = false;
  #isDead = false;

  constructor() {
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Dies at the `n`-th await from now on, counted from 0. */
  dieAt(n: number): void {
    this.#awaitsLeft = n;
  }

  /** Lives on, but its `n`-th await from now on, counted from 0, rejects; so does each of `ns`. */
  failAt(...ns: number[]): void {
    this.#failsIn = ns;
  }

  /** How many of the awaits at which it was to fail have come. */
  get failures(): number {
    return this.#failsIn.filter((left) => left < 0).length;
  }

  /** Dies when its next append stands in the log, and before it hears of that. */
  dieAppended(): void {
    this.#diesAppended = true;
  }

  /** For the dead no time passes. */
  readonly #timing: Timing = {
    now: () => performance.now(),
    after: (ms, due) => {
      const timer = setTimeout(() => {
        if (!this.#isDead) due();
      }, ms).unref();
      return () => clearTimeout(timer);
    },
  };

  readonly #wrapLog = (log: EventLog): EventLog => {
    this.#stores.push(log);
    // It may be buried by two: by who saw it die, and by who had started it and saw that later.
    const close = log.close.bind(log);
    let closed: Promise<void> | null = null;
    log.close = () => (closed ??= close());
    return new Proxy(log, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (this.#isDead) return FOR_EVER;
          const result: unknown = Reflect.apply(member, target, args);
          if (name === 'readRange') return this.#batches(result as AsyncIterable<unknown>);
          if (name === 'append' && this.#diesAppended) this.#awaitsLeft = 0;
          return result instanceof Promise ? this.#around(result) : result;
        };
      },
    });
  };

  /** What a node is started with. */
  get wraps() {
    return { log: this.#wrapLog, registry: this.#wrapRegistry, timing: this.#timing };
  }

  /** Closes what it stood on, as an operating system does: a transaction that was open is undone. */
  async bury(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
  }

  readonly #wrapRegistry = (registry: Registry): Registry => {
    this.#stores.push(registry);
    return this.#mortal(registry);
  };

  readonly #mortal = (registry: Registry): Registry => ({
    db: registry.db.withPlugin(this.#afterEachQuery),
    transaction: async (work, who) => {
      if (this.#isDead) return FOR_EVER;
      return this.#around(registry.transaction((trx) => work(this.#within(trx)), who));
    },
    checkpoint: async (work) => {
      if (this.#isDead) return FOR_EVER;
      return this.#around(registry.checkpoint((trx) => work(this.#within(trx))));
    },
    close: () => registry.close(),
  });

  readonly #afterEachQuery: KyselyPlugin = {
    transformQuery: ({ node }) => {
      if (this.#isDead) throw new Error('the dead ask nothing');
      return node;
    },
    transformResult: async ({ result }) => {
      await this.#step();
      return result;
    },
  };

  #within(trx: Db): Db {
    return trx.withPlugin(this.#afterEachQuery);
  }

  async #around<T>(doing: Promise<T>): Promise<T> {
    const result = await doing;
    await this.#step();
    return result;
  }

  async *#batches<T>(batches: AsyncIterable<T>): AsyncIterable<T> {
    for await (const batch of batches) {
      await this.#step();
      yield batch;
    }
  }

  async #step(): Promise<void> {
    const fails = this.#failsIn.includes(0);
    this.#failsIn = this.#failsIn.map((left) => left - 1);
    if (fails) throw new Error('injected at an await');
    if (!this.#isDead && this.#awaitsLeft-- > 0) return;
    this.#isDead = true;
    this.#die();
    await FOR_EVER;
  }
}
