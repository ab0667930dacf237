import { describe, expect, it } from '@jest/globals';
import { BACKOFF, parseRetryAfter, retryDelayMs } from '../../src/core/backoff.ts';

describe('the wait between attempts', () => {
  it('is uniform below a bound that doubles up to five minutes', () => {
    expect(retryDelayMs(1, 0, null)).toBe(0);
    expect(retryDelayMs(1, 0.5, null)).toBe(500);
    expect(retryDelayMs(4, 0.5, null)).toBe(4_000);
    expect(retryDelayMs(1_000, 0.999, null)).toBeLessThan(BACKOFF.maxMs);
  });
  it('is never shorter than the server asked for, and at most an hour longer than jitter', () => {
    expect(retryDelayMs(1, 0, 120_000)).toBe(120_000);
    expect(retryDelayMs(1, 0, 9e12)).toBe(3_600_000);
    expect(retryDelayMs(1, 0, -5)).toBe(0);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  it('is read in both forms', () => {
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Sun, 22 Nov 2026 10:01:00 GMT', now)).toBe(60_000);
    expect(parseRetryAfter('Sun, 22 Nov 2026 09:00:00 GMT', now)).toBe(0);
  });
  it.each(['', '-5', '1.5', 'soon', 'NaN', '1e3', null])('is nothing where it is %p', (header) => {
    expect(parseRetryAfter(header, now)).toBeNull();
  });
});
