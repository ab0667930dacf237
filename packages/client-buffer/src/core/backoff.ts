/** Bounds of the wait between attempts. */
export const BACKOFF = { baseMs: 1_000, maxMs: 5 * 60_000, retryAfterMaxMs: 60 * 60_000 } as const;

/**
 * How long to wait after the `failures`th failure in a row: full jitter (uniform between 0 and an exponential bound),
 * and never less than the server asked for, up to an hour.
 *
 * @param chance uniform in [0, 1)
 */
export function retryDelayMs(failures: number, chance: number, retryAfterMs: number | null): number {
  const bound = Math.min(BACKOFF.maxMs, BACKOFF.baseMs * 2 ** Math.min(failures - 1, 20));
  const asked = Math.min(Math.max(retryAfterMs ?? 0, 0), BACKOFF.retryAfterMaxMs);
  // Everybody was given the same hint: jitter comes on top of it.
  return asked + chance * bound;
}

/** Milliseconds of a `Retry-After` header, in either form (RFC 9110, section 10.2.3); `null` where it is neither. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^[0-9]{1,10}$/.test(text)) return Number(text) * 1000;
  // Only a date in words: `Date.parse` would also take "-5" or "1.5" for one.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null;
  const date = Date.parse(text);
  return Number.isFinite(date) ? Math.max(0, date - nowMs) : null;
}
