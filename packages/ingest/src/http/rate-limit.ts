import type { Clock } from '../context.ts';
import { levelAt, take, type Bucket, type Rate } from '../core/token-bucket.ts';

export type Limited = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

/** Keys that a limiter remembers. Beyond them it forgets the longest unused, which costs at most one burst. */
const KEYS_MAX = 50_000;

/** A token bucket for each key: a device, an address. */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes `cost` from the bucket of `key`, or says when to come back; what is turned away takes nothing. */
  take(key: string, cost = 1): Limited {
    const now = this.#clock();
    const bucket = this.#buckets.get(key) ?? { level: this.#rate.capacity, at: now };
    const taken = take(bucket, this.#rate, now, cost);
    if (!taken.ok) return taken;
    this.#buckets.delete(key);
    this.#buckets.set(key, taken.bucket);
    if (this.#buckets.size > KEYS_MAX) this.#forget(now);
    return { ok: true };
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      const isFull = levelAt(bucket, this.#rate, now) >= this.#rate.capacity;
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

function perSecond(count: number): Rate {
  return { perSecond: count, capacity: count };
}
