import { shareOf } from '../core/fair-share.ts';
import type { HeldBytes } from '../held-bytes.ts';

/** Who is told to come back: too much waits in the process, in the lane, or of the tenant by its quota. */
export type WaitingRefusal = 'process' | 'lane' | 'tenant_share' | 'tenant_quota';

export type WaitingClaim =
  | { readonly ok: true; /** Gives the bytes back. It may be called again. */ readonly release: () => void }
  | { readonly ok: false; readonly refusal: WaitingRefusal };

/** What wants to wait, and for which lane. `tenantBytesMax` is the tenant's quota, `null` where it has none. */
export type Waiter = {
  readonly partition: number;
  readonly tenant: string;
  readonly bytes: number;
  readonly tenantBytesMax: number | null;
};

/**
 * Bounds the bytes of appends that wait for the log or are on their way into it: of a lane, of a tenant and, with the
 * bodies, of the process. No tenant takes all of a lane or of the process: what it holds is never more than what is
 * left for the others.
 */
export class WaitingBytes {
  readonly #process: HeldBytes;
  readonly #laneMax: number;
  readonly #byLane = new Map<string, number>();
  readonly #byTenant = new Map<string, number>();
  readonly #byLaneAndTenant = new Map<string, number>();
  #total = 0;

  constructor(process: HeldBytes, laneMax: number) {
    this.#process = process;
    this.#laneMax = laneMax;
  }

  /** Bytes that wait now. */
  get total(): number {
    return this.#total;
  }

  ofLane(partition: number): number {
    return this.#byLane.get(String(partition)) ?? 0;
  }

  claim(waiter: Waiter): WaitingClaim {
    const refusal = this.#refusal(waiter);
    if (refusal !== null) return { ok: false, refusal };
    this.#process.take(waiter.bytes);
    this.#count(waiter, waiter.bytes);
    let isHeld = true;
    return {
      ok: true,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#process.give(waiter.bytes);
        this.#count(waiter, -waiter.bytes);
      },
    };
  }

  #refusal({ partition, tenant, bytes, tenantBytesMax }: Waiter): WaitingRefusal | null {
    const own = this.#byTenant.get(tenant) ?? 0;
    if (tenantBytesMax !== null && own > 0 && own + bytes > tenantBytesMax) return 'tenant_quota';
    const ownInLane = this.#byLaneAndTenant.get(laneAndTenant(partition, tenant)) ?? 0;
    const inLane = shareOf(bytes, ownInLane, this.ofLane(partition), this.#laneMax);
    if (inLane !== 'granted') return inLane === 'full' ? 'lane' : 'tenant_share';
    const inProcess = shareOf(bytes, own, this.#process.held, this.#process.max);
    if (inProcess !== 'granted') return inProcess === 'full' ? 'process' : 'tenant_share';
    return null;
  }

  #count({ partition, tenant }: Waiter, bytes: number): void {
    this.#total += bytes;
    add(this.#byLane, String(partition), bytes);
    add(this.#byTenant, tenant, bytes);
    add(this.#byLaneAndTenant, laneAndTenant(partition, tenant), bytes);
  }
}

function laneAndTenant(partition: number, tenant: string): string {
  return `${partition}/${tenant}`;
}

/** What holds nothing is forgotten: tenants come and go. */
function add(counts: Map<string, number>, key: string, bytes: number): void {
  const left = (counts.get(key) ?? 0) + bytes;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
