import { LIMITS } from '@tachograph/wire';
import type { Clock } from '../context.ts';
import type { Quota } from '../core/policy.ts';
import { levelAt, take, type Bucket, type Rate } from '../core/token-bucket.ts';

export type Limited = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

/** Keys that a limiter remembers. Beyond them it forgets the longest unused, which costs at most one burst. */
const KEYS_MAX = 50_000;

/** A token bucket for each key: a device, a tenant, an address. */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, { readonly bucket: Bucket; readonly rate: Rate }>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /**
   * Takes `cost` from the bucket of `key`, or says when to come back; what is turned away takes nothing. `rate` is
   * for keys that have one of their own, which may change.
   */
  take(key: string, cost = 1, rate = this.#rate): Limited {
    const now = this.#clock();
    const bucket = this.#buckets.get(key)?.bucket ?? { level: rate.capacity, at: now };
    const taken = take(bucket, rate, now, cost);
    if (!taken.ok) return taken;
    this.#buckets.delete(key);
    this.#buckets.set(key, { bucket: taken.bucket, rate });
    if (this.#buckets.size > KEYS_MAX) this.#forget(now);
    return { ok: true };
  }

  #forget(now: number): void {
    for (const [key, { bucket, rate }] of this.#buckets) {
      const isFull = levelAt(bucket, rate, now) >= rate.capacity;
      // Full buckets are as good as none. If the oldest is not full, it alone goes.
      this.#buckets.delete(key);
      if (!isFull || this.#buckets.size <= KEYS_MAX / 2) return;
    }
  }
}

/** The two rates of a device together: requests, and the events in them. */
export class DeviceLimiter {
  readonly #appends: RateLimiter;
  readonly #events: RateLimiter;

  /** Each bucket holds one second's worth, so an idle device may send that much at once. */
  constructor(
    config: { readonly deviceAppendsPerSecond: number; readonly deviceEventsPerSecond: number },
    clock: Clock,
  ) {
    this.#appends = new RateLimiter(perSecond(config.deviceAppendsPerSecond), clock);
    this.#events = new RateLimiter(perSecond(config.deviceEventsPerSecond), clock);
  }

  /** Counts one append of `device` (the key of its log) with `events` leaves, whatever will become of it. */
  take(device: string, events: number): Limited {
    const append = this.#appends.take(device);
    return append.ok ? this.#events.take(device, events) : append;
  }
}

/** The rates that a tenant's quota sets for all its devices together, on this node. */
export class TenantLimiter {
  readonly #appends: RateLimiter;
  readonly #events: RateLimiter;

  constructor(clock: Clock) {
    this.#appends = new RateLimiter(perSecond(1), clock);
    this.#events = new RateLimiter(perSecond(1), clock);
  }

  /** Counts one append with `events` leaves. What the quota does not name has no bound. */
  take(tenant: string, { appendsPerSecond, eventsPerSecond }: Quota, events: number): Limited {
    if (appendsPerSecond !== undefined) {
      const taken = this.#appends.take(tenant, 1, perSecond(appendsPerSecond));
      if (!taken.ok) return taken;
    }
    if (eventsPerSecond === undefined) return { ok: true };
    // A bucket that cannot hold the largest append would refuse it for ever.
    const capacity = Math.max(eventsPerSecond, LIMITS.appendLeavesMax);
    return this.#events.take(tenant, events, { perSecond: eventsPerSecond, capacity });
  }
}

function perSecond(count: number): Rate {
  return { perSecond: count, capacity: count };
}
