import type { PurgeOrder } from './core/cache-row.ts';
import { planOwn, type OwnLeaf } from './core/own-leaves.ts';
import { changeOrder, dueInMs, failOrder, finishOrder, isWorthReporting } from './core/purge.ts';
import { addCounts, failedLeaf, purgedLeaf, startedLeaf } from './core/purge-leaves.ts';
import type { Rows } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { AuditBufferError } from './errors.ts';
import type { CacheHooks } from './offline-types.ts';
import { emptyScope } from './purge-hooks.ts';

/** How long a tab that died while purging keeps the others from it. One that lives renews it in half that time. */
const CLAIM_MS = 5_000;
const STORE_RETRY_MS = 5_000;

/** What is to be done now: an order, a wait in milliseconds, or nothing (`null`). */
type Next = { readonly order: PurgeOrder } | { readonly waitMs: number } | null;

/**
 * Carries out the orders whose gate is up: the app's hooks, scope by scope, then the report. The gate was raised and the
 * cache keys were destroyed in one transaction before; whatever dies here, the next page goes on behind that gate.
 */
export class Purger {
  readonly #parts: CoreParts;
  readonly #hooks: CacheHooks | undefined;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #wanted = false;
  /** The orders that this tab has seen last. */
  #ids = '';
  #cancelTimer: () => void = () => undefined;

  constructor(parts: CoreParts, hooks: CacheHooks | undefined) {
    this.#parts = parts;
    this.#hooks = hooks;
    parts.state.onRows(({ cache }) => {
      const ids = (cache?.orders ?? []).map(({ id }) => id).join();
      if (ids === this.#ids) return;
      this.#ids = ids;
      // Whoever raised a gate, in whichever tab: each tab that learns of it sees to it.
      if (ids !== '') this.wake();
    });
  }

  /** There may be an order. */
  wake(): void {
    this.#wanted = true;
    if (this.#running !== null || this.#stopping.signal.aborted) return;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelTimer();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Not before the caller has noted that this runs.
    await Promise.resolve();
    let waitMs: number | null = null;
    try {
      waitMs = await this.#loop();
    } catch (error) {
      waitMs = STORE_RETRY_MS;
      this.#parts.quietly(Promise.reject(error));
    }
    this.#running = null;
    this.#cancelTimer();
    if (this.#wanted) waitMs = 0;
    if (waitMs !== null && !this.#stopping.signal.aborted)
      this.#cancelTimer = this.#parts.adapters.timers.setTimeout(() => this.wake(), waitMs);
  }

  /** Works until nothing is due, and answers how long to wait for more. */
  async #loop(): Promise<number | null> {
    while (!this.#stopping.signal.aborted) {
      this.#wanted = false;
      const next = await this.#next();
      if (next !== null && 'order' in next) await this.#carryOut(next.order);
      else if (!this.#wanted) return next?.waitMs ?? null;
    }
    return null;
  }

  /** Takes the claim for the first order that is due. It only saves work: the hooks are idempotent, the report is made once. */
  #next(): Promise<Next> {
    const { state, boot, adapters } = this.#parts;
    const now = adapters.clock.wallMs();
    return state.transact<Next>(({ rows: { cache } }) => {
      if (cache === null || cache.orders.length === 0) return { result: null };
      // A page of this app that knows no hooks leaves it to one that does: here nobody can say what is empty.
      if (cache.hooked && this.#hooks === undefined) return { result: null };
      const left = cache.claim === null || cache.claim.tab === boot ? 0 : cache.claim.until - now;
      if (left > 0 && left <= CLAIM_MS) return { result: { waitMs: left } };
      const order = cache.orders.find((known) => dueInMs(known, now) === 0);
      if (order === undefined)
        return { result: { waitMs: Math.min(...cache.orders.map((known) => dueInMs(known, now))) } };
      const claim = { tab: boot, until: now + CLAIM_MS };
      return { result: { order }, rows: { cache: { ...cache, claim } } };
    });
  }

  async #carryOut(order: PurgeOrder): Promise<void> {
    const end = this.#keepClaim();
    try {
      await this.#announce(order);
      for (const scope of order.scopes) {
        if (order.emptied.includes(scope)) continue;
        const failure = await this.#empty(order, scope);
        if (failure === 'stopped') return await this.#release();
        if (failure !== null) return await this.#fail(order, failure);
      }
      await this.#finish(order);
    } finally {
      end();
    }
  }

  /** Says that it has begun. Where that finds no room the purge goes on: "Writing leaves never delays a purge". */
  async #announce({ id, announced }: PurgeOrder): Promise<void> {
    if (announced) return;
    try {
      await this.#change(id, (order) => ({ ...order, announced: true }), startedLeaf);
    } catch (error) {
      if (!(error instanceof AuditBufferError)) throw error;
      this.#parts.report(error);
    }
  }

  /** Why `scope` could not be emptied, or `null`. */
  async #empty({ id }: PurgeOrder, scope: string): Promise<string | null> {
    let counts: unknown = {};
    if (this.#hooks !== undefined) {
      const { timers } = this.#parts.adapters;
      const emptied = await emptyScope(this.#hooks, scope, { timers, stopped: this.#stopping.signal });
      if ('failure' in emptied) return emptied.failure;
      counts = emptied.value;
    }
    await this.#change(id, (order) =>
      order.emptied.includes(scope)
        ? order
        : { ...order, emptied: [...order.emptied, scope], counts: addCounts(order.counts, counts) },
    );
    return null;
  }

  async #fail({ id }: PurgeOrder, reason: string): Promise<void> {
    const now = this.#parts.adapters.clock.wallMs();
    await this.#release();
    await this.#change(
      id,
      (order) => failOrder(order, reason, now),
      (after, before) => (isWorthReporting(before, after) ? failedLeaf(after) : null),
    );
  }

  /** Takes the order away and says so, in one transaction: a directive is reported once, whatever dies around it. */
  async #finish({ id }: PurgeOrder): Promise<void> {
    const { state, adapters, libraryLeaf, committed, checkIn } = this.#parts;
    const finished = await state.transact(({ rows }) => {
      const done = finishOrder(rows.cache, id);
      if (done === null) return { result: false };
      const { cache, order } = done;
      return { result: true, ...planOwn(rows, { cache }, [purgedLeaf(order)], libraryLeaf) };
    });
    if (!finished) return;
    committed();
    // A device that is not revoked may have a lease again.
    checkIn();
    adapters.tabs.announce();
  }

  async #change(
    id: string,
    change: (order: PurgeOrder) => PurgeOrder,
    leafOf: (after: PurgeOrder, before: PurgeOrder) => OwnLeaf | null = () => null,
  ): Promise<void> {
    const { state, libraryLeaf, committed } = this.#parts;
    const wrote = await state.transact(({ rows }) => {
      const leaves: OwnLeaf[] = [];
      const cache = changeOrder(rows.cache, id, (before) => {
        const after = change(before);
        const leaf = leafOf(after, before);
        if (leaf !== null) leaves.push(leaf);
        return after;
      });
      return cache === null
        ? { result: false }
        : { result: leaves.length > 0, ...planOwn(rows, { cache }, leaves, libraryLeaf) };
    });
    if (wrote) committed();
  }

  /** Renews the claim while the hooks work, until the answer is called. */
  #keepClaim(): () => void {
    const { adapters, quietly } = this.#parts;
    const renew = (): void => {
      quietly(this.#claimUntil((now) => now + CLAIM_MS));
      cancel = adapters.timers.setTimeout(renew, CLAIM_MS / 2);
    };
    let cancel = adapters.timers.setTimeout(renew, CLAIM_MS / 2);
    return () => cancel();
  }

  #release(): Promise<void> {
    return this.#claimUntil(() => null);
  }

  #claimUntil(untilOf: (now: number) => number | null): Promise<void> {
    const { state, boot, adapters } = this.#parts;
    const until = untilOf(adapters.clock.wallMs());
    return state.transact<void>(({ rows: { cache } }) =>
      cache?.claim?.tab === boot
        ? { result: undefined, rows: claimed({ cache }, until === null ? null : { tab: boot, until }) }
        : { result: undefined },
    );
  }
}

function claimed(
  { cache }: Pick<Rows, 'cache'>,
  claim: { tab: string; until: number } | null,
): Partial<Rows> {
  return cache === null ? {} : { cache: { ...cache, claim } };
}
