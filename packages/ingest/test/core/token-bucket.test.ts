import { describe, expect, it } from '@jest/globals';
import { take, type Bucket } from '../../src/core/token-bucket.ts';
import { DeviceLimiter, RateLimiter } from '../../src/http/rate-limit.ts';

const RATE = { perSecond: 10, capacity: 20 };

describe('a token bucket', () => {
  it('gives its capacity at once and then its rate', () => {
    let bucket: Bucket = { level: RATE.capacity, at: 0 };
    let given = 0;
    for (let now = 0; now < 3000; now += 10) {
      const taken = take(bucket, RATE, now, 1);
      if (!taken.ok) continue;
      bucket = taken.bucket;
      given++;
    }
    // 20 at once, then 10 a second for three seconds.
    expect(given).toBeGreaterThanOrEqual(49);
    expect(given).toBeLessThanOrEqual(50);
  });

  it('says when there will be enough, and then there is', () => {
    const empty = { level: 0, at: 0 };
    const refused = take(empty, RATE, 0, 15);
    expect(refused).toEqual({ ok: false, retryAfterSeconds: 2 });
    expect(take(empty, RATE, 2000, 15).ok).toBe(true);
  });

  it('fills nothing when the clock is set back', () => {
    expect(take({ level: 0, at: 10_000 }, RATE, 0, 1).ok).toBe(false);
  });
});

describe('a limiter', () => {
  it('keeps keys apart', () => {
    const limiter = new RateLimiter({ perSecond: 1, capacity: 1 }, () => 0);
    expect(limiter.take('a').ok).toBe(true);
    expect(limiter.take('a').ok).toBe(false);
    expect(limiter.take('b').ok).toBe(true);
  });

  it('forgets the longest unused of very many keys, and goes on limiting the others', () => {
    const limiter = new RateLimiter({ perSecond: 1, capacity: 1 }, () => 0);
    for (let i = 0; i <= 50_000; i++) limiter.take(`key ${i}`);
    expect(limiter.take('key 50000').ok).toBe(false);
    expect(limiter.take('key 0').ok).toBe(true);
  });

  it('of a device bounds appends and events, each by itself', () => {
    let now = 0;
    const config = { deviceAppendsPerSecond: 2, deviceEventsPerSecond: 4000 };
    const limiter = new DeviceLimiter(config, () => now);
    expect(limiter.take('a', 2000).ok).toBe(true);
    expect(limiter.take('a', 2000).ok).toBe(true);
    expect(limiter.take('a', 0)).toEqual({ ok: false, retryAfterSeconds: 1 });
    now = 600;
    expect(limiter.take('a', 2000).ok).toBe(true);
    now = 1100;
    expect(limiter.take('a', 4000)).toEqual({ ok: false, retryAfterSeconds: 1 });
  });
});
