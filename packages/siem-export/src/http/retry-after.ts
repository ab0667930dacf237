/** Milliseconds of a `Retry-After` header, in either form (RFC 9110, section 10.2.3); `null` where it is neither. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^[0-9]{1,10}$/.test(text)) return Number(text) * 1000;
  // Only a date in words: `Date.parse` would also take "-5" or "1.5" for one.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null;
  const date = Date.parse(text);
  return Number.isFinite(date) ? Math.max(0, date - nowMs) : null;
}
