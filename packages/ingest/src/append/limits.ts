import { LIMITS, type Fault } from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import type { Quota } from '../core/policy.ts';
import { DeviceLimiter, RateLimiter, TenantLimiter, type Limited } from '../http/rate-limit.ts';
import type { Answer } from '../http/route.ts';

type Limit = 'device' | 'tenant' | 'revoked';

const USED_UP: { readonly [limit in Limit]: Fault } = {
  device: { code: 'ERR_RATE', detail: 'the rate of this device is used up for now' },
  tenant: { code: 'ERR_RATE', detail: 'the quota of this tenant is used up for now' },
  revoked: { code: 'ERR_RATE', detail: 'a revoked device sends slowly: come back later, all of it is taken' },
};

/**
 * The rates that appends are held to. Until its signature has verified a request counts for the log *and* the sender
 * that it came from: a stranger can use up neither the rate of a device nor the quota of a tenant.
 */
export class AppendLimits {
  readonly #metrics: IngestContext['metrics'];
  readonly #ofSender: DeviceLimiter;
  readonly #ofDevice: DeviceLimiter;
  readonly #ofTenant: TenantLimiter;
  readonly #ofRevoked: RateLimiter;

  constructor({ config, clock, metrics }: Pick<IngestContext, 'config' | 'clock' | 'metrics'>) {
    this.#metrics = metrics;
    this.#ofSender = new DeviceLimiter(config, clock);
    this.#ofDevice = new DeviceLimiter(config, clock);
    this.#ofTenant = new TenantLimiter(clock);
    // The largest append fits in: none is refused for good, and the first one learns of its directives at once.
    const slow = { perSecond: config.revokedEventsPerSecond, capacity: LIMITS.appendLeavesMax };
    this.#ofRevoked = new RateLimiter(slow, clock);
  }

  /** Counts an append for `origin` as `sender` claims to be allowed to send it; the refusal where that is too much. */
  claimed(origin: string, sender: string, leaves: number): Answer | null {
    return this.#answer('device', this.#ofSender.take(`${origin} ${sender}`, leaves));
  }

  /** Counts an append that the key of its device has signed. */
  signed(origin: string, tenant: string, quota: Quota, leaves: number): Answer | null {
    return (
      this.#answer('device', this.#ofDevice.take(origin, leaves)) ??
      this.#answer('tenant', this.#ofTenant.take(tenant, quota, leaves))
    );
  }

  /** Counts the leaves of a revoked device. A check-in has none and is never slowed: it fetches directives. */
  slowed(origin: string, leaves: number): Answer | null {
    return this.#answer('revoked', this.#ofRevoked.take(origin, leaves));
  }

  #answer(limit: Limit, limited: Limited): Answer | null {
    if (limited.ok) return null;
    this.#metrics.rateLimited(limit);
    return { fault: USED_UP[limit], extras: { retryAfterSeconds: limited.retryAfterSeconds } };
  }
}
