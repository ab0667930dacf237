import type { PurgeCounts } from '../offline-types.ts';
import type { PurgeOrder } from './cache-row.ts';
import type { OwnLeaf } from './own-leaves.ts';

/** An order may name more than a leaf has room for; nothing that an order or an app says makes its report too long. */
const SCOPES_MAX = 100;
const STORES_MAX = 64;
const TEXT_MAX = 200;

/** `cache.purge_started`: the gate is up, and the cache keys are destroyed. */
export function startedLeaf(order: PurgeOrder): OwnLeaf {
  return { action: 'cache.purge_started', data: { ...about(order), keys: order.keys } };
}

/** `cache.purge_failed`: it will be tried again. */
export function failedLeaf(order: PurgeOrder): OwnLeaf {
  return {
    action: 'cache.purge_failed',
    data: { ...about(order), failure: order.failure, failures: order.failures },
  };
}

/**
 * `cache.purged`: what this device attests. `counts` is what the hooks said; after a crash it may be less than there
 * was, because what was destroyed before it is not there to be counted again.
 */
export function purgedLeaf(order: PurgeOrder): OwnLeaf {
  const { keys, counts, failures } = order;
  return {
    action: 'cache.purged',
    data: { ...about(order), stores: Object.keys(counts), counts, keys, failures },
  };
}

function about({ id, directive, scopes, reason }: PurgeOrder): object {
  return {
    purge: id,
    ...(directive === null ? {} : { directive }),
    scopes: scopes.slice(0, SCOPES_MAX),
    ...(scopes.length > SCOPES_MAX ? { scopesTotal: scopes.length } : {}),
    reason: plain(reason),
  };
}

/** A text of the app's or of an order, as it may stand in a leaf. */
export function plain(text: string): string {
  return text.slice(0, TEXT_MAX).toWellFormed();
}

/** Sums up what the hooks counted, and leaves out what is no count. Nothing else of what they answer is kept. */
export function addCounts(known: PurgeCounts, told: unknown): PurgeCounts {
  const sums = new Map(Object.entries(known));
  for (const [store, count] of Object.entries(typeof told === 'object' && told !== null ? told : {})) {
    if (!/^[\x20-\x7e]{1,128}$/.test(store) || store === '__proto__' || !isCount(count)) continue;
    if (sums.has(store) || sums.size < STORES_MAX) sums.set(store, (sums.get(store) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
