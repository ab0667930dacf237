import { LEASE_NOTE, signStatement, type Origin, type RequestStatement } from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import { decideLease, leaseEnds, type LeaseDecision } from '../core/lease-decision.ts';
import { RateLimiter } from '../http/rate-limit.ts';
import { statusOf, type KnownDevice } from '../registry/devices.ts';
import { storeLease } from '../registry/leases.ts';
import type { DeviceStatus } from '../registry/schema.ts';
import { enqueueEvent, INGEST_ACTOR } from '../tenant-log/outbox.ts';
import type { StoredPolicies } from './stored-policies.ts';

/** Decisions of one device that become events: a device that goes to and fro must not fill its tenant's log. */
const DECISIONS_TOLD = { perSecond: 1 / 60, capacity: 10 } as const;

export type LeasePorts = Pick<IngestContext, 'registry' | 'keys' | 'clock' | 'metrics' | 'tenantLog'>;

/** A lease as it is sent, and the seconds for which it lets a cache be used. */
type GrantedLease = { readonly note: string; readonly blockAfterSeconds: number };

export type Granted = { readonly status: DeviceStatus; readonly lease: GrantedLease | null };

/** Grants offline use in answer to a request note, where the device's status and the tenant's rules allow it. */
export class Leases {
  readonly #ports: LeasePorts;
  readonly #policies: StoredPolicies;
  readonly #told: RateLimiter;

  constructor(ports: LeasePorts, policies: StoredPolicies) {
    this.#ports = ports;
    this.#policies = policies;
    this.#told = new RateLimiter(DECISIONS_TOLD, ports.clock);
  }

  /**
   * The status that `device` has by now, and the lease, or `null` where there is to be none. What it grants is stored
   * before it leaves, so that an offboarding never takes a lease for ended that a device still holds; a decision that
   * differs from the device's last is an event.
   *
   * `device` was read before its append waited for the log. Who was revoked meanwhile gets nothing.
   */
  async grant(
    origin: Origin,
    device: KnownDevice,
    request: RequestStatement,
    from: { readonly address: string; readonly receivedAt: number },
  ): Promise<Granted> {
    const decision = decideLease(this.#policies.of(device.policy), device.leaseProfile, from.address);
    const status = await this.#remember(device, decision, from);
    if (status !== 'enrolled' || decision.terms === null) return { status, lease: null };
    const { nonce } = request;
    const statement = { origin, nonce, ...decision.terms, scopes: ['*'] };
    const note = await signStatement(LEASE_NOTE, statement, this.#ports.keys.lease);
    return { status, lease: { note, blockAfterSeconds: decision.terms.blockAfterSeconds } };
  }

  /** @returns the status of the device, by which nothing is stored unless it is `enrolled` */
  async #remember(
    device: KnownDevice,
    decision: LeaseDecision,
    { address, receivedAt }: { readonly address: string; readonly receivedAt: number },
  ): Promise<DeviceStatus> {
    const { registry, tenantLog } = this.#ports;
    const present = await statusOf(registry.db, device);
    if (present !== 'enrolled') return present;
    const { lease: known } = device;
    const ends = decision.terms === null ? null : leaseEnds(decision.terms, receivedAt);
    const isLonger =
      ends !== null && (ends.blocksAt > (known?.blocksAt ?? 0) || ends.wipesAt > (known?.wipesAt ?? 0));
    const isOther = known?.decision !== decision.text;
    if (!isLonger && !isOther) return present;
    const isTold = isOther && this.#isWorthTelling(device, decision);
    const status = await registry.transaction(async (trx) => {
      const settled = await statusOf(trx, device);
      if (settled !== 'enrolled') return settled;
      await storeLease(trx, device, {
        blocksAt: ends?.storedBlocksAt ?? null,
        wipesAt: ends?.storedWipesAt ?? null,
        decision: decision.text,
      });
      if (!isTold) return settled;
      await enqueueEvent(trx, {
        tenant: device.tenant,
        action: 'lease.decided',
        actor: INGEST_ACTOR,
        targets: [{ type: 'device', id: device.device }],
        outcome: decision.terms === null ? 'failure' : 'success',
        data: { ...decision.grounds, address },
        at: receivedAt,
      });
      return settled;
    });
    if (isTold) tenantLog.wake();
    return status;
  }

  /** What a device is granted first its enrolment has said, unless that is other than an ordinary lease. */
  #isWorthTelling({ tenant, device, lease }: KnownDevice, { action }: LeaseDecision): boolean {
    const isFirst = lease === null || lease.decision === '';
    if (isFirst && action === 'allow') return false;
    if (this.#told.take(`${tenant}/${device}`).ok) return true;
    this.#ports.metrics.rateLimited('decision');
    return false;
  }
}
