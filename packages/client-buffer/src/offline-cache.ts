import { EMPTY_CACHE } from './core/cache-row.ts';
import { inventoryOf } from './core/inventory.ts';
import { accessTo, lookAt, nextChangeMs, type Look } from './core/offline.ts';
import { planOwn, type OwnLeaf } from './core/own-leaves.ts';
import type { Rows } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { AuditBufferError } from './errors.ts';
import type { Change } from './log-store.ts';
import type { CacheHooks, CacheKeyAccess, OfflineAccess } from './offline-types.ts';

/** The library looks at the clocks at least this often: what it has not seen it cannot hold against a clock set back. */
const LOOK_EVERY_MS = 15 * 60_000;
const LOOK_AGAIN_MS = 1_000;
/** Their names are in a row that every transaction reads. */
const CACHE_KEYS_MAX = 1_000;

/** Decides who may use the cache, and keeps the keys to it. */
export class OfflineCache {
  readonly #parts: CoreParts;
  readonly #hooks: CacheHooks | undefined;
  #cancelTimer: () => void = () => undefined;
  #armedFor = '';
  #stopped = false;

  constructor(parts: CoreParts, hooks: CacheHooks | undefined) {
    this.#parts = parts;
    this.#hooks = hooks;
    parts.state.onRows((rows) => this.#follow(rows));
  }

  /** The first look of this page. From here on the store knows that a page with hooks was here. */
  async start(): Promise<void> {
    if (this.#hooks !== undefined)
      await this.#parts.state.transact(({ rows: { cache } }) =>
        cache?.hooked
          ? { result: null }
          : { result: null, rows: { cache: { ...(cache ?? EMPTY_CACHE), hooked: true } } },
      );
    await this.tick();
  }

  /** Looks at the clocks: records what it finds, and wipes what has had its time. */
  async tick(): Promise<void> {
    try {
      await this.#look(() => ({ result: null }));
      if (this.#parts.state.rows.lease !== null) await this.reportInventory();
    } finally {
      this.#arm();
    }
  }

  async access(scope: string): Promise<OfflineAccess> {
    checkScope(scope);
    return this.#look((rows, wallMs) => ({ result: accessTo(rows, scope, wallMs) }));
  }

  /** The key of a scope, made at first. It is read after access was granted: a purge in between has destroyed it. */
  async key(scope: string): Promise<CacheKeyAccess> {
    for (;;) {
      const access = await this.access(scope);
      if (!access.allowed) return access;
      const key = await this.#parts.state.store.cacheKey(scope);
      if (key !== null) return { ...access, key };
      await this.#makeKey(scope);
    }
  }

  /** Records what is held, unless just that was recorded last. */
  async reportInventory(): Promise<void> {
    const holdings = await this.#hooks?.inventory?.();
    if (holdings === undefined) return;
    const { name, leaves } = inventoryOf(holdings);
    const { state, libraryLeaf, committed } = this.#parts;
    const written = await state.transact(({ rows }) => {
      const cache = rows.cache ?? EMPTY_CACHE;
      if (cache.inventory === name || rows.log?.closed) return { result: false };
      return {
        result: true,
        ...planOwn(rows, { cache: { ...cache, inventory: name } }, leaves, libraryLeaf),
      };
    });
    if (written) committed();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  /** One look, and what `decide` makes of the rows as they are after it, in one transaction. */
  async #look<T>(decide: (rows: Rows, wallMs: number) => Change<T>): Promise<T> {
    const { state, adapters, boot, libraryLeaf, committed } = this.#parts;
    const now = { wallMs: adapters.clock.wallMs(), boot, monotonicMs: adapters.clock.monotonicMs() };
    const { look, decided } = await state.transact(({ rows }) => {
      const found = lookAt(rows, now);
      const seen = changeOf(found);
      const { result, ...rest } = decide({ ...rows, ...seen }, now.wallMs);
      // What is to be told of a wipe comes after it: no leaf that finds no room delays the gate.
      const leaves = found.gate === undefined ? found.leaves : [];
      return {
        result: { look: found, decided: result },
        ...planOwn(rows, { ...seen, ...rest.rows }, leaves, libraryLeaf),
        ...(rest.cacheKey === undefined ? {} : { cacheKey: rest.cacheKey }),
        ...(found.gate === undefined ? {} : { dropCacheKeys: found.gate.dropKeys }),
      };
    });
    if (look.gate !== undefined) {
      adapters.tabs.announce();
      await this.#record(look.leaves);
    } else if (look.leaves.length > 0) committed();
    return decided;
  }

  async #record(leaves: readonly OwnLeaf[]): Promise<void> {
    const { state, libraryLeaf, committed, report } = this.#parts;
    try {
      await state.transact(({ rows }) => ({ result: null, ...planOwn(rows, {}, leaves, libraryLeaf) }));
      committed();
    } catch (error) {
      if (!(error instanceof AuditBufferError)) throw error;
      // The report of the purge itself will say why it was.
      report(error);
    }
  }

  async #makeKey(scope: string): Promise<void> {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]);
    await this.#look<null>((rows, wallMs) => {
      const cache = rows.cache ?? EMPTY_CACHE;
      // Another tab may have been faster, or a purge: then its key, or the refusal, is found at the next look.
      if (!accessTo(rows, scope, wallMs).allowed || cache.keys.includes(scope)) return { result: null };
      if (cache.keys.length >= CACHE_KEYS_MAX)
        throw new AuditBufferError('ERR_CONFIG', `scope: at most ${CACHE_KEYS_MAX} of them have a key`);
      return {
        result: null,
        rows: { cache: { ...cache, keys: [...cache.keys, scope] } },
        cacheKey: { scope, key },
      };
    });
  }

  /** A lease that was granted, or ended in another tab, moves the time of the next look. */
  #follow({ lease }: Rows): void {
    const name = `${lease?.device} ${lease?.sentAt} ${lease?.ended}`;
    if (name === this.#armedFor) return;
    this.#armedFor = name;
    this.#arm();
  }

  #arm(): void {
    this.#cancelTimer();
    const { adapters, state, quietly } = this.#parts;
    const change = nextChangeMs(state.rows.lease, adapters.clock.wallMs());
    if (this.#stopped || change === null) return;
    this.#cancelTimer = adapters.timers.setTimeout(
      () => quietly(this.tick()),
      Math.min(Math.max(change, LOOK_AGAIN_MS), LOOK_EVERY_MS),
    );
  }
}

function changeOf({ lease, gate }: Look): Partial<Rows> {
  return { ...(lease === undefined ? {} : { lease }), ...(gate === undefined ? {} : { cache: gate.cache }) };
}

function checkScope(scope: unknown): asserts scope is string {
  if (typeof scope !== 'string' || scope === '-' || !/^[\x21-\x2b\x2d-\x7e]{1,128}$/.test(scope))
    throw new AuditBufferError(
      'ERR_CONFIG',
      'scope: 1 to 128 printable ASCII characters, no space, no comma, and not -',
    );
}
