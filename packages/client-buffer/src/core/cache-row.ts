import type { PurgeCounts } from '../offline-types.ts';

/** One order to destroy the cache, from the transaction that raised its gate to the one that reports it done. */
export type PurgeOrder = {
  /** The directive's id, or one of our own. */
  readonly id: string;
  /** `null` where nobody ordered it but the end of the lease. */
  readonly directive: string | null;
  readonly scopes: readonly string[];
  readonly reason: string;
  /** Cache keys that were destroyed together with the raising of the gate. */
  readonly keys: number;
  /** `cache.purge_started` was recorded. */
  readonly announced: boolean;
  /** Scopes that the app's hooks are through with, and what they counted. */
  readonly emptied: readonly string[];
  readonly counts: PurgeCounts;
  /** Attempts that failed, why the last one did, and when the next one is due (wall clock). */
  readonly failures: number;
  readonly failure: string | null;
  readonly retryAt: number;
};

/** What the library knows of the app's cache, and what it does about it. */
export type CacheRow = {
  /** Counts leases and gates. A lease counts only if nothing of both has changed since its request was made. */
  readonly epoch: number;
  /** A page with hooks was open here once: a page without any cannot say that the cache is empty. */
  readonly hooked: boolean;
  /** Scopes that have a cache key. */
  readonly keys: readonly string[];
  readonly orders: readonly PurgeOrder[];
  /** Ids of the latest directives that were carried out. */
  readonly done: readonly string[];
  /** Scopes that are refused until a later lease. */
  readonly blocked: readonly string[];
  /** The directive for everything that was carried out since the last lease: what closes the log of a revoked device. */
  readonly closes: string | null;
  /** The tab that calls the hooks at present, until `until` (milliseconds since the epoch). */
  readonly claim: { readonly tab: string; readonly until: number } | null;
  /** Names the inventory that was recorded last. */
  readonly inventory: string | null;
};

export const EMPTY_CACHE: CacheRow = {
  epoch: 0,
  hooked: false,
  keys: [],
  orders: [],
  done: [],
  blocked: [],
  closes: null,
  claim: null,
  inventory: null,
};
