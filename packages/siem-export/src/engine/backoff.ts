import { EXPORT_LIMITS } from '../limits.ts';

/**
 * Milliseconds to wait before try `attempt` (1 is the first retry): exponential with full jitter, so that routes
 * and exporters which failed together do not come back together. `random` is in [0, 1).
 */
export function retryDelayMs(attempt: number, random: number): number {
  const { retryDelayMsMin, retryDelayMsMax } = EXPORT_LIMITS;
  // Beyond 2^30 doubling would overflow before the limit is applied.
  const ceiling = Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** Math.min(attempt, 30));
  return Math.ceil(retryDelayMsMin + random * (ceiling - retryDelayMsMin));
}

/** A wait that a destination asked for, within our own limit. */
export function grantedDelayMs(asked: number): number {
  return Math.min(Math.max(0, asked), EXPORT_LIMITS.retryAfterMsMax);
}
