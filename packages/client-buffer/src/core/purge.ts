import { EMPTY_CACHE, type CacheRow, type PurgeOrder } from './cache-row.ts';
import type { EnrolmentRow, Rows } from './rows.ts';

/** Orders that are kept at once. What is beyond comes again with the next answer. */
const ORDERS_MAX = 64;
/** Ids that are remembered. A directive that was forgotten and is replayed destroys once more and says so. */
const DONE_MAX = 256;
const RETRY_MIN_MS = 5_000;
const RETRY_MAX_MS = 5 * 60_000;

export const ALL_SCOPES = '*';

export type NewOrder = Pick<PurgeOrder, 'id' | 'directive' | 'scopes' | 'reason'>;

/** Whether one of `scopes` has to do with `scope`. Whoever asks for everything is concerned by each. */
export function concerns(scopes: readonly string[], scope: string): boolean {
  return scopes.includes(ALL_SCOPES) || scopes.includes(scope) || (scope === ALL_SCOPES && scopes.length > 0);
}

/** What raises the gate: the row after it, and the cache keys that go in the same transaction. */
export type Gate = { readonly cache: CacheRow; readonly dropKeys: readonly string[] };

/** Raises the gate for an order, or answers `null` where it is known already. */
export function raiseGate(before: CacheRow | null, order: NewOrder): Gate | null {
  const cache = before ?? EMPTY_CACHE;
  if (cache.done.includes(order.id) || cache.orders.some(({ id }) => id === order.id)) return null;
  // The end of a lease comes once, and no answer brings it again.
  const isTooMany = order.directive !== null && cache.orders.length >= ORDERS_MAX;
  if (order.scopes.length === 0 || isTooMany) return null;
  const dropKeys = order.scopes.includes(ALL_SCOPES)
    ? cache.keys
    : cache.keys.filter((scope) => order.scopes.includes(scope));
  const accepted: PurgeOrder = {
    ...order,
    keys: dropKeys.length,
    announced: false,
    emptied: [],
    counts: {},
    failures: 0,
    failure: null,
    retryAt: 0,
  };
  return {
    cache: {
      ...cache,
      epoch: cache.epoch + 1,
      keys: cache.keys.filter((scope) => !dropKeys.includes(scope)),
      orders: [...cache.orders, accepted],
      blocked: union(cache.blocked, order.scopes),
      inventory: null,
    },
    dropKeys,
  };
}

/** The row after a lease whose request was made at `epoch`, or `null` where the lease does not count. */
export function admitLease(before: CacheRow | null, epoch: number): CacheRow | null {
  const cache = before ?? EMPTY_CACHE;
  if (cache.epoch !== epoch) return null;
  // What is not destroyed yet stays refused, whatever was granted meanwhile.
  const blocked = union(
    [],
    cache.orders.flatMap(({ scopes }) => scopes),
  );
  return { ...cache, epoch: epoch + 1, blocked, closes: null };
}

/** The rows once ingest has said what this device is: no lease that was asked for before a revocation counts after it. */
export function withEnrolment({ cache }: Rows, enrolment: EnrolmentRow): Partial<Rows> {
  if (enrolment.status !== 'revoked') return { enrolment };
  const before = cache ?? EMPTY_CACHE;
  return { enrolment, cache: { ...before, epoch: before.epoch + 1 } };
}

/** The row with an order changed, or `null` where another tab has finished it. */
export function changeOrder(
  cache: CacheRow | null,
  id: string,
  change: (order: PurgeOrder) => PurgeOrder,
): CacheRow | null {
  if (cache === null || !cache.orders.some((order) => order.id === id)) return null;
  return { ...cache, orders: cache.orders.map((order) => (order.id === id ? change(order) : order)) };
}

/** The row after an order has been carried out, and the order as it was; `null` where another tab was faster. */
export function finishOrder(before: CacheRow | null, id: string) {
  const order = before?.orders.find((known) => known.id === id);
  if (before === null || order === undefined) return null;
  const { directive, scopes } = order;
  const cache: CacheRow = {
    ...before,
    epoch: before.epoch + 1,
    orders: before.orders.filter((known) => known !== order),
    done: directive === null ? before.done : [...before.done, directive].slice(-DONE_MAX),
    closes: directive !== null && scopes.includes(ALL_SCOPES) ? directive : before.closes,
    claim: null,
  };
  return { cache, order };
}

/** An order after an attempt that failed. */
export function failOrder(order: PurgeOrder, reason: string, nowMs: number): PurgeOrder {
  const failures = order.failures + 1;
  const waitMs = Math.min(RETRY_MIN_MS * 2 ** (failures - 1), RETRY_MAX_MS);
  return { ...order, failures, failure: reason, retryAt: nowMs + waitMs };
}

/** Milliseconds until the order is due. A wait longer than any is of a clock that was set back since. */
export function dueInMs({ retryAt }: PurgeOrder, nowMs: number): number {
  const left = retryAt - nowMs;
  return left > RETRY_MAX_MS ? 0 : Math.max(0, left);
}

/** The first failure, every other reason, and then ever fewer: an app that never succeeds does not fill its log. */
export function isWorthReporting(before: PurgeOrder, after: PurgeOrder): boolean {
  return before.failure !== after.failure || Number.isInteger(Math.log2(after.failures));
}

/** The directive for which the log is to be closed now: its device is revoked, and nothing is left to destroy. */
export function closesFor({ log, enrolment, cache }: Rows): string | null {
  if (log === null || log.closed || enrolment?.status !== 'revoked') return null;
  return cache === null || cache.orders.length > 0 ? null : cache.closes;
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])];
}
