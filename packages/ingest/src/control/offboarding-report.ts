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
