import { bad, good, type Finding } from './check.ts';

const CHECK = 'clock';
/** This program did not exist before then. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** A step of the clock of less is no harm: receipts never go back in time anyway. */
const AHEAD_MS_MAX = 60_000;

/**
 * Whether this machine's clock can be right. `newestMs` is when the newest known event was received here, which
 * cannot be in the future.
 */
export function checkClock(nowMs: number, newestMs: number | null): Finding {
  const now = new Date(nowMs).toISOString();
  if (nowMs < EARLIEST_MS)
    return bad(CHECK, `it says ${now}`, 'Set it, and keep it set: timedatectl set-ntp true');
  if (newestMs !== null && newestMs - nowMs > AHEAD_MS_MAX) {
    return bad(
      CHECK,
      `it says ${now}, but an event was received at ${new Date(newestMs).toISOString()}`,
      'Set it, and keep it set: timedatectl set-ntp true',
    );
  }
  return good(CHECK, now);
}
