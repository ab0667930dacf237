import { sql } from 'kysely';
import { EXPOSURE_KINDS, namesOfBits, REVOCATION_MARKS } from '../core/exposure.ts';
import { purgeEndOf, type PurgeEnd } from '../core/purge-end.ts';
import type { Db } from '../registry/registry.ts';
import { isWhole } from '../core/purge-scopes.ts';

/** A person in one or several tenants. */
export type Person = { readonly tenants: readonly string[]; readonly subject: string };

/** The rows of a person's devices, the oldest first, with what each was granted and was last heard of. */
export async function devicesOfPerson(db: Db, { tenants, subject }: Person) {
  return db
    .selectFrom('devices')
    .leftJoin('leases', (join) =>
      join.onRef('leases.tenant', '=', 'devices.tenant').onRef('leases.device', '=', 'devices.device'),
    )
    .leftJoin('sightings', (join) =>
      join.onRef('sightings.tenant', '=', 'devices.tenant').onRef('sightings.device', '=', 'devices.device'),
    )
    .select([
      'devices.tenant',
      'devices.device',
      'devices.installation',
      'devices.installation_label',
      'devices.platform',
      'devices.status',
      'devices.enrolled_at',
      'devices.revoked_at',
      'devices.predecessor',
      'devices.succession',
      'devices.log_closed_at',
      'leases.blocks_at',
      'leases.wipes_at',
      'sightings.received_at',
      'sightings.pending_count',
      'sightings.dark_since',
    ])
    .where('devices.tenant', 'in', [...tenants])
    .where('devices.subject', '=', subject)
    .orderBy('devices.enrolled_at')
    .orderBy('devices.device')
    .execute();
}

export type PersonDevice = Awaited<ReturnType<typeof devicesOfPerson>>[number];

type DirectiveRow = {
  tenant: string;
  device: string;
  note: string;
  issued_at: number;
  confirmed_at: number | null;
};

export async function directivesOfPerson(db: Db, { tenants, subject }: Person): Promise<DirectiveRow[]> {
  return db
    .selectFrom('directives')
    .innerJoin('devices', (join) =>
      join
        .onRef('devices.tenant', '=', 'directives.tenant')
        .onRef('devices.device', '=', 'directives.device'),
    )
    .select([
      'directives.tenant',
      'directives.device',
      'directives.note',
      'directives.issued_at',
      'directives.confirmed_at',
    ])
    .where('devices.tenant', 'in', [...tenants])
    .where('devices.subject', '=', subject)
    .execute();
}

export type DeviceEnd = { readonly end: PurgeEnd; readonly purgedAt: number | null };

/** What the report needs to know of a device to say where its purge stands. */
type Ending = Pick<
  PersonDevice,
  'tenant' | 'device' | 'predecessor' | 'succession' | 'status' | 'revoked_at' | 'log_closed_at' | 'blocks_at'
>;

/** Where each device's purge stands, by `<tenant>/<device>`. */
export function endsOf(
  devices: readonly Ending[],
  directives: readonly DirectiveRow[],
  now: number,
): Map<string, DeviceEnd> {
  const ordered = new Map<string, DirectiveRow[]>();
  for (const row of directives) {
    const own = ordered.get(idOf(row));
    if (own === undefined) ordered.set(idOf(row), [row]);
    else own.push(row);
  }
  const emptied = storesEmptied(devices, ordered);
  return new Map(
    devices.map((device) => {
      const id = idOf(device);
      const at = emptied.get(id) ?? allConfirmed(ordered.get(id) ?? []);
      const end =
        device.status === 'revoked'
          ? purgeEndOf({ confirmedAt: at, blocksAt: device.blocks_at }, now)
          : ('pending' as const);
      return [id, { end, purgedAt: at }];
    }),
  );
}

/** When the last of these was confirmed; `null` where one is open, or there is none. */
function allConfirmed(directives: readonly DirectiveRow[]): number | null {
  let last: number | null = null;
  for (const { confirmed_at: at } of directives) {
    if (at === null) return null;
    last = Math.max(last ?? 0, at);
  }
  return last;
}

/**
 * When each device's store was said to be emptied as a whole, where it was: by the device itself or by one that went
 * on from it in the same, damaged store. After a fork or a rollback there are two stores, and the other one speaks
 * for itself alone.
 */
function storesEmptied(
  devices: readonly Ending[],
  ordered: ReadonlyMap<string, readonly DirectiveRow[]>,
): Map<string, number> {
  const byId = new Map(devices.map((device) => [idOf(device), device]));
  const own = devices.flatMap((device) => {
    const at = emptiedAt(device, ordered.get(idOf(device)) ?? []);
    return at === null ? [] : [{ device, at }];
  });
  const emptied = new Map<string, number>();
  // From the earliest on, each device is reached once.
  for (const { device, at } of own.toSorted((a, b) => a.at - b.at)) {
    for (let next: Ending | undefined = device; next !== undefined && !emptied.has(idOf(next));) {
      emptied.set(idOf(next), at);
      next = inSameStore(next, byId);
    }
  }
  return emptied;
}

function inSameStore(
  { tenant, predecessor, succession }: Ending,
  byId: ReadonlyMap<string, Ending>,
): Ending | undefined {
  const isSame = succession === 'corrupt' && predecessor !== null;
  return isSame ? byId.get(idOf({ tenant, device: predecessor })) : undefined;
}

/** A confirmed order for everything stands for every other one: a narrower one finds nothing, and no open log. */
function emptiedAt(
  { revoked_at: revokedAt, log_closed_at: closedAt }: Ending,
  directives: readonly DirectiveRow[],
): number | null {
  let first = closedAt;
  for (const { note, issued_at: issuedAt, confirmed_at: at } of directives) {
    if (at === null || revokedAt === null || issuedAt < revokedAt || !isWhole(note)) continue;
    first = Math.min(first ?? at, at);
  }
  return first;
}

export function idOf({ tenant, device }: { readonly tenant: string; readonly device: string }): string {
  return `${tenant}/${device}`;
}

/** Where a page of targets goes on: behind this one. */
export type TargetKey = { readonly tenant: string; readonly type: string; readonly id: string };

/**
 * What a person exposed: on their own devices whoever acted, on others what they did themselves. One row a target,
 * one row more than `limit` where there are more.
 */
export async function targetsOfPerson(
  db: Db,
  { tenants, subject }: Person,
  page: { readonly after: TargetKey | null; readonly limit: number },
) {
  const { after, limit } = page;
  const rows = await db
    .selectFrom('exposures')
    .select(['exposures.tenant', 'target_type', 'target_id'])
    .select((eb) => [
      eb.fn.max('target_name').as('name'),
      eb.fn.min('first_at').as('first_at'),
      eb.fn.max('last_at').as('last_at'),
      eb.fn.count<number | string>('device').distinct().as('devices'),
      bitsOf('kinds', Object.values(EXPOSURE_KINDS)).as('kinds'),
      bitsOf('marks', Object.values(REVOCATION_MARKS)).as('marks'),
    ])
    .where('exposures.tenant', 'in', [...tenants])
    .where((eb) => {
      const own = eb
        .selectFrom('devices')
        .select('devices.device')
        .whereRef('devices.tenant', '=', 'exposures.tenant')
        .whereRef('devices.device', '=', 'exposures.device')
        .where('devices.subject', '=', subject);
      return eb.or([eb.exists(own), eb('actor', '=', subject), eb('email', '=', subject)]);
    })
    .$if(after !== null, (all) =>
      all.where(
        sql<boolean>`(exposures.tenant, target_type, target_id) > (${after?.tenant}, ${after?.type}, ${after?.id})`,
      ),
    )
    .groupBy(['exposures.tenant', 'target_type', 'target_id'])
    .orderBy('exposures.tenant')
    .orderBy('target_type')
    .orderBy('target_id')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({
    tenant: row.tenant,
    type: row.target_type,
    id: row.target_id,
    name: row.name,
    firstAt: row.first_at,
    lastAt: row.last_at,
    devices: Number(row.devices),
    kinds: namesOfBits(EXPOSURE_KINDS, Number(row.kinds)),
    marks: namesOfBits(REVOCATION_MARKS, Number(row.marks)),
  }));
}

/** The union of bits over a group: SQLite has no aggregate for it. */
function bitsOf(column: 'kinds' | 'marks', bits: readonly number[]) {
  const each = bits.map((bit) => sql<number>`max(${sql.ref(column)} & ${sql.lit(bit)})`);
  return sql<number | string>`${sql.join(each, sql` + `)}`;
}

/** Devices of a person with more exposures than are kept. */
export async function overflowsOfPerson(db: Db, { tenants, subject }: Person): Promise<string[]> {
  const rows = await db
    .selectFrom('exposure_overflows')
    .innerJoin('devices', (join) =>
      join
        .onRef('devices.tenant', '=', 'exposure_overflows.tenant')
        .onRef('devices.device', '=', 'exposure_overflows.device'),
    )
    .select('exposure_overflows.device')
    .where('devices.tenant', 'in', [...tenants])
    .where('devices.subject', '=', subject)
    .execute();
  return rows.map(({ device }) => device);
}
