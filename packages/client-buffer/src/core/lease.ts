import type { DeviceId, LeaseStatement } from '@tachograph/wire';
import type { LeaseRow } from './rows.ts';

/** One look at both clocks. */
export type Reading = { readonly wallMs: number; readonly boot: string; readonly monotonicMs: number };

/** Set back by more than this, a clock is not believed until the next lease. */
const STEP_BACK_MAX_MS = 5 * 60_000;
/**
 * Pages whose monotonic clocks are remembered; one that was forgotten comes in again at what the others know. With more
 * of them open that look in turns, each would always be forgotten: they count nothing then, and the wall clock is left.
 */
const PAGES_MAX = 64;
/** What a look may add without being written: a crash forgets no more than this. */
const NOT_WORTH_WRITING_MS = 1_000;

/** A lease counts from the sending of the request that earned it, and forgets what the clock was before. */
export function startLease(lease: LeaseStatement, device: DeviceId, sent: Reading): LeaseRow {
  return {
    device,
    blockAfterMs: lease.blockAfterSeconds * 1000,
    wipeAfterMs: lease.wipeAfterSeconds * 1000,
    scopes: lease.scopes,
    sentAt: sent.wallMs,
    highestWall: sent.wallMs,
    countedMs: 0,
    pages: [{ boot: sent.boot, ms: sent.monotonicMs, countedMs: 0 }],
    stepped: false,
    ended: false,
  };
}

/**
 * The lease after a look at the clocks. `performance.now()` stops in sleep and begins anew with each page: it can only
 * ever add. Pages that are open side by side count the same time, so each counts on from where it came in.
 */
export function touchLease(lease: LeaseRow, now: Reading): LeaseRow {
  const page = lease.pages.find(({ boot }) => boot === now.boot);
  const countedMs =
    page === undefined
      ? lease.countedMs
      : Math.max(lease.countedMs, page.countedMs + Math.max(0, now.monotonicMs - page.ms));
  return {
    ...lease,
    countedMs,
    pages:
      page === undefined
        ? [...lease.pages, { boot: now.boot, ms: now.monotonicMs, countedMs }].slice(-PAGES_MAX)
        : lease.pages,
    highestWall: Math.max(lease.highestWall, now.wallMs),
    stepped: lease.stepped || now.wallMs < lease.highestWall - STEP_BACK_MAX_MS,
  };
}

/** Milliseconds that have passed since sending: "the greatest of wall clock, monotonic sum, highest time seen". */
export function elapsedMs({ sentAt, highestWall, countedMs }: LeaseRow, wallMs: number): number {
  return Math.max(wallMs - sentAt, highestWall - sentAt, countedMs);
}

/** Whether a look has found so little new that it need not be written. */
export function isSameLook(before: LeaseRow, after: LeaseRow): boolean {
  return (
    before.pages === after.pages &&
    before.stepped === after.stepped &&
    before.ended === after.ended &&
    after.highestWall - before.highestWall < NOT_WORTH_WRITING_MS &&
    after.countedMs - before.countedMs < NOT_WORTH_WRITING_MS
  );
}
