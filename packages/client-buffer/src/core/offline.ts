import type { OfflineAccess, PurgeStatus } from '../offline-types.ts';
import type { CacheRow } from './cache-row.ts';
import { elapsedMs, isSameLook, touchLease, type Reading } from './lease.ts';
import { ALL_SCOPES, concerns, raiseGate, type Gate } from './purge.ts';
import type { LeaseRow, Rows } from './rows.ts';

/** What a look at the clocks has found. Everything in it is written in one transaction, or nothing. */
export type Look = {
  /** The row to be written; absent where nothing is. */
  readonly lease?: LeaseRow | null;
  /** Set where the lease has been over for so long that the cache goes. */
  readonly gate?: Gate;
  readonly leaves: readonly { readonly action: string; readonly data: object }[];
};

const NOTHING: Look = { leaves: [] };

/** Looks at the clocks: what they say of the lease, what is to be recorded about it, and whether the cache is to go. */
export function lookAt({ log, lease, cache }: Rows, now: Reading): Look {
  if (lease === null || log === null) return NOTHING;
  const touched = touchLease(lease, now);
  const elapsed = elapsedMs(touched, now.wallMs);
  const after = { ...touched, ended: touched.ended || elapsed >= lease.blockAfterMs };
  // A predecessor's lease is looked at for the cache's sake alone: what it allowed ended with its log.
  const leaves = lease.device === log.device ? newsOf(lease, after, elapsed, now.wallMs) : [];
  // Past it even a clock that was set back changes nothing: the highest time seen and the count of the pages stay.
  if (elapsed >= lease.wipeAfterMs) {
    const gate = wipeGate(lease, cache);
    return { lease: null, leaves, ...(gate === null ? {} : { gate }) };
  }
  return isSameLook(lease, after) ? NOTHING : { lease: after, leaves };
}

/** What has come to light between two looks. */
function newsOf(before: LeaseRow, after: LeaseRow, elapsed: number, wallMs: number): Look['leaves'] {
  return [
    ...(after.stepped && !before.stepped
      ? [{ action: 'clock.stepped', data: { setBackMs: before.highestWall - wallMs } }]
      : []),
    ...(after.ended && !before.ended ? [{ action: 'lease.expired', data: expiredData(after, elapsed) }] : []),
  ];
}

function expiredData({ sentAt, blockAfterMs }: LeaseRow, elapsed: number): object {
  return {
    grantedAt: new Date(sentAt).toISOString(),
    blockAfterSeconds: blockAfterMs / 1000,
    elapsedSeconds: Math.round(elapsed / 1000),
  };
}

/** `null` where nothing was ever cached, or everything is being destroyed already. */
function wipeGate({ sentAt }: LeaseRow, cache: CacheRow | null): Gate | null {
  if (cache === null || (!cache.hooked && cache.keys.length === 0)) return null;
  if (cache.orders.some(({ scopes }) => scopes.includes(ALL_SCOPES))) return null;
  return raiseGate(cache, {
    id: `wipe-${cache.epoch}-${sentAt}`,
    directive: null,
    scopes: [ALL_SCOPES],
    reason: 'wipe-after',
  });
}

/** Whether `scope` may be used now, by rows that were looked at. What forbids more comes first. */
export function accessTo(
  { log, lease, cache, enrolment }: Rows,
  scope: string,
  wallMs: number,
): OfflineAccess {
  if (cache?.orders.some(({ scopes }) => concerns(scopes, scope))) return refused('purging');
  if (enrolment?.status === 'revoked' || log?.closed) return refused('revoked');
  if (cache !== null && concerns(cache.blocked, scope)) return refused('purged');
  if (lease === null || lease.device !== log?.device) return refused('no-lease');
  if (lease.stepped) return refused('clock-stepped');
  const elapsed = elapsedMs(lease, wallMs);
  const leftMs = lease.blockAfterMs - elapsed;
  if (lease.ended || leftMs <= 0) return refused('expired');
  if (!lease.scopes.includes(ALL_SCOPES) && !lease.scopes.includes(scope)) return refused('scope');
  return {
    allowed: true,
    until: new Date(wallMs + leftMs),
    leftMs,
    wipeAt: new Date(wallMs + lease.wipeAfterMs - elapsed),
  };
}

function refused(reason: (OfflineAccess & { allowed: false })['reason']): OfflineAccess & { allowed: false } {
  return { allowed: false, reason };
}

/** What the app is told of purges without asking. */
export function purgeStatusOf(cache: CacheRow | null): PurgeStatus | null {
  if (cache === null || cache.blocked.length === 0) return null;
  return { state: cache.orders.length > 0 ? 'purging' : 'purged', scopes: cache.blocked };
}

/** Milliseconds until the lease changes what is allowed, or `null` without one. */
export function nextChangeMs(lease: LeaseRow | null, wallMs: number): number | null {
  if (lease === null) return null;
  const elapsed = elapsedMs(lease, wallMs);
  return Math.max(0, (lease.ended ? lease.wipeAfterMs : lease.blockAfterMs) - elapsed);
}
