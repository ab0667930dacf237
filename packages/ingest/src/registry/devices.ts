import type { Bytes } from '@tachograph/wire';
import type { SenderClock } from '../core/time-bounds.ts';
import { runCompiled } from './compiled.ts';
import type { LogKey } from './heads.ts';
import type { KnownLease } from './leases.ts';
import type { Db } from './registry.ts';
import type { DeviceStatus } from './schema.ts';

/** What the append path needs to know of a device, in one row. */
export type KnownDevice = LogKey & {
  readonly publicKey: Bytes;
  readonly installation: string;
  readonly status: DeviceStatus;
  readonly leaseProfile: string | null;
  readonly predecessor: string | null;
  readonly revokedAt: number | null;
  readonly lease: KnownLease | null;
  /** Clocks of its newest request note. */
  readonly clock: SenderClock | null;
  /** JSON of its tenant's policy. */
  readonly policy: string;
};

export async function findDevice(db: Db, { tenant, device }: LogKey): Promise<KnownDevice | null> {
  const { rows } = await runCompiled(db, 'device', () => deviceQuery(db, tenant, device), [tenant, device]);
  const row = rows[0];
  if (row === undefined) return null;
  const { boot, monotonic_ms: monotonicMs, wall_at: wallAt, received_at: receivedAt } = row;
  const isSeen = boot !== null && monotonicMs !== null && wallAt !== null && receivedAt !== null;
  return {
    tenant,
    device,
    publicKey: row.public_key,
    installation: row.installation,
    status: row.status,
    leaseProfile: row.lease_profile,
    predecessor: row.predecessor,
    revokedAt: row.revoked_at,
    lease:
      row.decision === null
        ? null
        : { blocksAt: row.blocks_at, wipesAt: row.wipes_at, decision: row.decision },
    clock: isSeen ? { boot, monotonicMs, wallAt, receivedAt } : null,
    policy: row.policy,
  };
}

/** The present status of a device that was found before. */
export async function statusOf(db: Db, { tenant, device }: LogKey): Promise<DeviceStatus> {
  const query = () =>
    db.selectFrom('devices').select('status').where('tenant', '=', tenant).where('device', '=', device);
  const { rows } = await runCompiled(db, 'status', query, [tenant, device]);
  if (rows[0] === undefined) throw new Error('a device that sends has no row any more');
  return rows[0].status;
}

function deviceQuery(db: Db, tenant: string, device: string) {
  return db
    .selectFrom('devices')
    .innerJoin('tenants', 'tenants.id', 'devices.tenant')
    .leftJoin('sightings', (join) =>
      join.onRef('sightings.tenant', '=', 'devices.tenant').onRef('sightings.device', '=', 'devices.device'),
    )
    .leftJoin('leases', (join) =>
      join.onRef('leases.tenant', '=', 'devices.tenant').onRef('leases.device', '=', 'devices.device'),
    )
    .select([
      'devices.public_key',
      'devices.installation',
      'devices.status',
      'devices.lease_profile',
      'devices.predecessor',
      'devices.revoked_at',
      'leases.blocks_at',
      'leases.wipes_at',
      'leases.decision',
      'sightings.boot',
      'sightings.monotonic_ms',
      'sightings.wall_at',
      'sightings.received_at',
      'tenants.policy',
    ])
    .where('devices.tenant', '=', tenant)
    .where('devices.device', '=', device);
}

export async function tenantExists(db: Db, tenant: string): Promise<boolean> {
  const row = await db.selectFrom('tenants').select('id').where('id', '=', tenant).executeTakeFirst();
  return row !== undefined;
}

/** The signed directives that a device has not confirmed yet, oldest first. */
export async function openDirectives(db: Db, { tenant, device }: LogKey): Promise<string[]> {
  const query = () =>
    db
      .selectFrom('directives')
      .select('note')
      .where('tenant', '=', tenant)
      .where('device', '=', device)
      .where('confirmed_at', 'is', null)
      .orderBy('issued_at');
  const { rows } = await runCompiled(db, 'open directives', query, [tenant, device]);
  return rows.map(({ note }) => note);
}
