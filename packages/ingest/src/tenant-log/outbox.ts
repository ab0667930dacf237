import { randomBytes, randomUUID } from 'node:crypto';
import { deviceIdOf, utf8, type Actor, type Bytes, type Outcome, type Target } from '@tachograph/wire';
import type { TENANT_LOG_ACTIONS } from '@tachograph/wire';
import type { Db } from '../registry/registry.ts';

/** One event of a tenant's own log: an administrative or a detected fact. */
export type TenantEvent = {
  readonly tenant: string;
  readonly action: (typeof TENANT_LOG_ACTIONS)[number] | 'log.opened';
  readonly actor: Actor;
  readonly targets?: readonly Target[];
  readonly outcome?: Outcome;
  readonly data?: { readonly [name: string]: unknown };
  /** A derived id, where several may report the same fact; else a new UUIDv7. */
  readonly id?: string;
  /** When it happened, milliseconds since the epoch. */
  readonly at: number;
};

/** The actor of what ingest detects by itself. */
export const INGEST_ACTOR: Actor = { id: 'tachograph/ingest', type: 'service' };

/**
 * Makes the tenant's own log, inside the transaction that makes the tenant: a device of its own, with the
 * authority's log key.
 */
export async function createTenantLog(
  trx: Db,
  log: { readonly tenant: string; readonly publicKey: Bytes; readonly at: number },
): Promise<void> {
  const device = deviceIdOf(log.publicKey);
  await trx
    .insertInto('devices')
    .values({
      tenant: log.tenant,
      device,
      public_key: log.publicKey,
      installation: device,
      installation_label: null,
      platform: null,
      subject: null,
      status: 'enrolled',
      lease_profile: null,
      predecessor: null,
      enrolled_at: log.at,
      revoked_at: null,
      revocation_reason: null,
    })
    .execute();
  await trx.insertInto('tenant_logs').values({ tenant: log.tenant, device, next_index: 0 }).execute();
}

/**
 * Puts an event into the outbox, inside the transaction that makes its fact true, and gives it its index in the
 * tenant's log. Wake the drainer once that transaction has committed.
 *
 * @returns the index
 * @throws where the tenant has no log, which is a bug
 */
export async function enqueueEvent(trx: Db, event: TenantEvent): Promise<number> {
  const { next_index: next } = await trx
    .updateTable('tenant_logs')
    .set((eb) => ({ next_index: eb('next_index', '+', 1) }))
    .where('tenant', '=', event.tenant)
    .returning('next_index')
    .executeTakeFirstOrThrow();
  const index = next - 1;
  await trx
    .insertInto('outbox')
    .values({ tenant: event.tenant, leaf_index: index, leaf: leafOf(event) })
    .execute();
  return index;
}

/** The monotonic origin of this process, as a client's page has one. */
const BOOT = randomUUID();

function leafOf(event: TenantEvent): Bytes {
  return utf8(
    JSON.stringify({
      id: event.id ?? uuidV7(event.at),
      time: new Date(event.at).toISOString(),
      action: event.action,
      actor: event.actor,
      ...(event.targets === undefined ? {} : { targets: event.targets }),
      outcome: event.outcome ?? 'success',
      online: true,
      clock: { boot: BOOT, ms: Math.round(performance.now() * 1000) / 1000 },
      ...(event.data === undefined ? {} : { data: event.data }),
    }),
  );
}

/** RFC 9562, section 5.7: 48 bits of milliseconds, then random. */
function uuidV7(now: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [0, 8, 12, 16, 20].map((from, i, all) => hex.slice(from, all[i + 1] ?? 32)).join('-');
}
