import type { Actor, Target } from '@tachograph/wire';

/** Why cached secrets may not be used now. */
export type OfflineRefusal =
  /** An order to destroy the cache is being carried out. Drop what is in memory, too. */
  | 'purging'
  /** The cache was destroyed; a later lease opens it again. */
  | 'purged'
  /** This device was revoked. */
  | 'revoked'
  /** No lease was ever granted to this log, or the library has wiped what it was for. */
  | 'no-lease'
  /** The clock was set back by more than five minutes: only the next lease is believed. */
  | 'clock-stepped'
  /** The lease has ended: go online. */
  | 'expired'
  /** The lease does not reach this scope. */
  | 'scope';

/** When the lease would end, if nothing else happens; `wipeAt` is when the library destroys the cache by itself. */
export type LeaseTimes = { readonly until: Date; readonly leftMs: number; readonly wipeAt: Date };

export type OfflineAccess =
  ({ readonly allowed: true } & LeaseTimes) | { readonly allowed: false; readonly reason: OfflineRefusal };

/** As `offlineAccess`, with the key where it is allowed: AES-GCM, 256 bits, non-extractable. */
export type CacheKeyAccess =
  | ({ readonly allowed: true; readonly key: CryptoKey } & LeaseTimes)
  | { readonly allowed: false; readonly reason: OfflineRefusal };

/** A scope is the app's own word, such as a vault's id: 1 to 128 printable ASCII characters without space or comma, and not `-`. `*` is everything. */
export type CacheScope = { readonly scope: string };

/** How much each of the app's own stores lost, by its name. */
export type PurgeCounts = { readonly [store: string]: number };

/** What one person has in the cache. */
export type CacheHolding = { readonly actor: Actor; readonly targets: readonly Target[] };

/**
 * How the library reaches what the app caches. Every hook may be called again after a crash, a failure or a time-out
 * (30 seconds a call, then `signal` aborts), and by two tabs at once: it must be idempotent.
 */
export type CacheHooks = {
  /** Destroys everything that is cached under `scope`, in memory of this page and on disk. `*` is everything. */
  purge(request: CacheScope & { readonly signal: AbortSignal }): Promise<PurgeCounts>;
  /** Looks whether nothing is left under `scope`: what answers `false` is purged again. */
  isEmpty(request: CacheScope & { readonly signal: AbortSignal }): Promise<boolean>;
  /** What is in the cache now, and whose: recorded as `cache.inventory`, so that offboarding can list it. */
  inventory?(): Promise<readonly CacheHolding[]>;
};

/** What is refused until a later lease. `purging`: it is not destroyed yet. */
export type PurgeStatus = { readonly state: 'purging' | 'purged'; readonly scopes: readonly string[] };
