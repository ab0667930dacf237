import { derivedEventId } from '@tachograph/wire';
import type { ControlContext } from '../api-context.ts';
import { parseStoredPolicy } from '../core/policy.ts';
import { silenceOf, type Silence } from '../core/silence.ts';
import { isoOf } from '../http/schemas.ts';
import type { LogKey } from '../registry/heads.ts';
import type { Db } from '../registry/registry.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import { CONTROL_ACTOR } from './actor.ts';

const PAGE = 500;
const HOUR_MS = 3_600_000;

type Dark = LogKey & {
  readonly because: Silence;
  readonly seenAt: number;
  readonly habitMs: number;
};

/**
 * Marks devices that are silent beyond their habit or their lease, and says so once a silence in the tenant's log.
 * Their next note clears the mark.
 * @returns how many were found
 */
export async function findDarkDevices(
  context: Pick<ControlContext, 'registry' | 'clock' | 'tenantLog'>,
): Promise<number> {
  const { registry, clock, tenantLog } = context;
  const now = clock();
  const minima = new Map<string, number>();
  let found = 0;
  for (let after: LogKey | null = null; ;) {
    const page = await silentDevices(registry.db, now, after);
    await addMinima(registry.db, page, minima);
    for (const dark of page.flatMap((row) => darkOf(row, minima.get(row.tenant)!, now))) {
      if (await registry.transaction((trx) => markDark(trx, dark, now))) found++;
    }
    after = page.at(-1) ?? null;
    if (page.length < PAGE || after === null) break;
  }
  if (found > 0) tenantLog.wake();
  return found;
}

/** Adds how long, in milliseconds, each tenant of `page` that `minima` lacks lets its devices be silent in any case. */
async function addMinima(db: Db, page: readonly LogKey[], minima: Map<string, number>): Promise<void> {
  const unknown = [...new Set(page.map(({ tenant }) => tenant))].filter((tenant) => !minima.has(tenant));
  if (unknown.length === 0) return;
  const rows = await db.selectFrom('tenants').select(['id', 'policy']).where('id', 'in', unknown).execute();
  for (const { id, policy } of rows) minima.set(id, parseStoredPolicy(policy).dark.afterHours * HOUR_MS);
}

/**
 * Devices that could be dark by the least that any tenant may set. Those that are marked are not among them, nor those
 * whose successor has taken their place.
 */
async function silentDevices(db: Db, now: number, after: LogKey | null) {
  return db
    .selectFrom('sightings')
    .innerJoin('devices', (join) =>
      join.onRef('devices.tenant', '=', 'sightings.tenant').onRef('devices.device', '=', 'sightings.device'),
    )
    .leftJoin('leases', (join) =>
      join.onRef('leases.tenant', '=', 'sightings.tenant').onRef('leases.device', '=', 'sightings.device'),
    )
    .select([
      'sightings.tenant',
      'sightings.device',
      'sightings.received_at',
      'sightings.contact_gap_ms',
      'leases.blocks_at',
    ])
    .where('sightings.dark_since', 'is', null)
    .where('devices.status', 'in', ['enrolled', 'quarantined'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('devices as next')
            .select('next.device')
            .whereRef('next.tenant', '=', 'sightings.tenant')
            .whereRef('next.predecessor', '=', 'sightings.device'),
        ),
      ),
    )
    .where((eb) => eb.or([eb('sightings.received_at', '<', now - HOUR_MS), eb('leases.blocks_at', '<', now)]))
    .$if(after !== null, (all) =>
      all.where((eb) =>
        eb(eb.refTuple('sightings.tenant', 'sightings.device'), '>', eb.tuple(after!.tenant, after!.device)),
      ),
    )
    .orderBy('sightings.tenant')
    .orderBy('sightings.device')
    .limit(PAGE)
    .execute();
}

type Silent = Awaited<ReturnType<typeof silentDevices>>[number];

function darkOf(row: Silent, minimumMs: number, now: number): Dark[] {
  const { tenant, device, received_at: seenAt, contact_gap_ms: habitMs, blocks_at: leaseEndsAt } = row;
  const because = silenceOf({ seenAt, habitMs, leaseEndsAt }, minimumMs, now);
  return because === null ? [] : [{ tenant, device, because, seenAt, habitMs }];
}

/** `false` where the device has been heard meanwhile, or another node has marked it. */
async function markDark(
  trx: Db,
  { tenant, device, because, seenAt, habitMs }: Dark,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows: marked } = await trx
    .updateTable('sightings')
    .set({ dark_since: now })
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .where('received_at', '=', seenAt)
    .where('dark_since', 'is', null)
    .executeTakeFirstOrThrow();
  if (marked !== 1n) return false;
  await enqueueEvent(trx, {
    tenant,
    action: 'device.dark',
    actor: CONTROL_ACTOR,
    targets: [{ type: 'device', id: device }],
    outcome: 'unknown',
    data: { because, lastSeen: isoOf(seenAt), habitSeconds: Math.round(habitMs / 1000) },
    id: derivedEventId('device.dark', tenant, device, String(seenAt)),
    at: now,
  });
  return true;
}
