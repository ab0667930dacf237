import type { LeaseStatement } from '@tachograph/wire';
import type { OfflineAccess } from '../audit-buffer.ts';
import type { LeaseRow } from './rows.ts';

/** One look at both clocks. */
export type Reading = { readonly wallMs: number; readonly boot: string; readonly monotonicMs: number };

/** Set back by more than this, a clock is not believed until the next lease. */
const STEP_BACK_MAX_MS = 5 * 60_000;

/** A lease counts from the sending of the request that earned it, and forgets what the clock was before. */
export function startLease(lease: LeaseStatement, sent: Reading): LeaseRow {
  return {
    blockAfterMs: lease.blockAfterSeconds * 1000,
    wipeAfterMs: lease.wipeAfterSeconds * 1000,
    scopes: lease.scopes,
    sentAt: sent.wallMs,
    highestWall: sent.wallMs,
    countedMs: 0,
    boot: sent.boot,
    bootMs: sent.monotonicMs,
    stepped: false,
  };
}

/** The lease after a look at the clocks. `performance.now()` stops in sleep: it can only ever add. */
export function touchLease(lease: LeaseRow, now: Reading): LeaseRow {
  const passed = now.boot === lease.boot ? Math.max(0, now.monotonicMs - lease.bootMs) : 0;
  return {
    ...lease,
    countedMs: lease.countedMs + passed,
    boot: now.boot,
    bootMs: now.monotonicMs,
    highestWall: Math.max(lease.highestWall, now.wallMs),
    stepped: lease.stepped || now.wallMs < lease.highestWall - STEP_BACK_MAX_MS,
  };
}

/** Whether a touched lease grants `scope` now. Elapsed = the greatest of what the clocks say. */
export function accessUnder(lease: LeaseRow | null, scope: string, wallMs: number): OfflineAccess {
  if (lease === null) return { allowed: false, reason: 'no-lease' };
  if (lease.stepped) return { allowed: false, reason: 'clock-stepped' };
  const elapsed = Math.max(wallMs - lease.sentAt, lease.highestWall - lease.sentAt, lease.countedMs);
  const left = lease.blockAfterMs - elapsed;
  if (left <= 0) return { allowed: false, reason: 'expired' };
  if (!lease.scopes.includes('*') && !lease.scopes.includes(scope))
    return { allowed: false, reason: 'scope' };
  return { allowed: true, until: new Date(wallMs + left) };
}
