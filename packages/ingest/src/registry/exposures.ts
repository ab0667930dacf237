import { createHash } from 'node:crypto';
import type { Bytes } from '@tachograph/wire';
import type { LogKey } from './heads.ts';
import { inRows, logId } from './heads.ts';
import type { Db } from './registry.ts';

/** What one person did with one target on one device, as far as the log has been read. */
export type ExposureRow = LogKey & {
  readonly actor: string;
  readonly email: string | null;
  readonly targetType: string;
  readonly targetId: string;
  readonly targetName: string | null;
  readonly kinds: number;
  readonly marks: number;
  readonly firstAt: number;
  readonly lastAt: number;
};

/** Persons and targets that are kept for one device. Beyond them only the fact is kept that there were more. */
export const EXPOSURES_PER_DEVICE_MAX = 20_000;

/** What an index of PostgreSQL can hold; a subject is no longer. */
const INDEXED_CHARACTERS_MAX = 256;

/** The same for the same device, person and target. */
export function exposureHash({ actor, targetType, targetId }: ExposureRow): Bytes {
  const named = JSON.stringify([actor, targetType, targetId]);
  return new Uint8Array(createHash('sha256').update(named).digest());
}

/** What PostgreSQL's `text` and an index can hold of what an app named. */
function indexable(text: string, charactersMax = 1024): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd').slice(0, charactersMax).toWellFormed();
}

/** Adds exposures to what is known; rows of one device, person and target are one. */
export async function storeExposures(trx: Db, rows: readonly ExposureRow[], at: number): Promise<void> {
  const byDevice = new Map<string, ExposureRow[]>();
  for (const row of rows) {
    const known = byDevice.get(logId(row));
    if (known === undefined) byDevice.set(logId(row), [row]);
    else known.push(row);
  }
  for (const [first, ...others] of byDevice.values()) await storeOfDevice(trx, [first!, ...others], at);
}

type Hashed = { readonly row: ExposureRow; readonly hash: Bytes };

async function storeOfDevice(trx: Db, rows: readonly ExposureRow[], at: number): Promise<void> {
  const { tenant, device } = rows[0]!;
  const hashed = rows.map((row) => ({ row, hash: exposureHash(row) }));
  const { count } = await trx
    .selectFrom('exposures')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  let room = EXPOSURES_PER_DEVICE_MAX - Number(count);
  if (room < hashed.length) {
    const known = await knownHashes(trx, { tenant, device }, hashed);
    const kept = hashed.filter(({ hash }) => known.has(hexOf(hash)) || room-- > 0);
    if (kept.length < hashed.length) await markOverflow(trx, { tenant, device }, at);
    return upsert(trx, kept);
  }
  return upsert(trx, hashed);
}

async function knownHashes(trx: Db, { tenant, device }: LogKey, hashed: readonly Hashed[]) {
  const known = new Set<string>();
  for (const some of inRows(hashed)) {
    const found = await trx
      .selectFrom('exposures')
      .select('hash')
      .where('tenant', '=', tenant)
      .where('device', '=', device)
      .where(
        'hash',
        'in',
        some.map(({ hash }) => hash),
      )
      .execute();
    for (const { hash } of found) known.add(hexOf(hash));
  }
  return known;
}

async function markOverflow(trx: Db, { tenant, device }: LogKey, since: number): Promise<void> {
  await trx
    .insertInto('exposure_overflows')
    .values({ tenant, device, since })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function upsert(trx: Db, hashed: readonly Hashed[]): Promise<void> {
  const rows = hashed.map(({ row, hash }) => ({
    tenant: row.tenant,
    device: row.device,
    hash,
    actor: indexable(row.actor, INDEXED_CHARACTERS_MAX),
    email: row.email === null ? null : indexable(row.email, INDEXED_CHARACTERS_MAX),
    target_type: indexable(row.targetType),
    target_id: indexable(row.targetId),
    target_name: row.targetName === null ? null : indexable(row.targetName),
    kinds: row.kinds,
    marks: row.marks,
    first_at: row.firstAt,
    last_at: row.lastAt,
  }));
  for (const some of inRows(rows)) {
    await trx
      .insertInto('exposures')
      .values(some)
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'device', 'hash']).doUpdateSet((eb) => ({
          email: eb.fn.coalesce(eb.ref('excluded.email'), eb.ref('exposures.email')),
          target_name: eb.fn.coalesce(eb.ref('excluded.target_name'), eb.ref('exposures.target_name')),
          kinds: eb('exposures.kinds', '|', eb.ref('excluded.kinds')),
          marks: eb('exposures.marks', '|', eb.ref('excluded.marks')),
          first_at: eb
            .case()
            .when('excluded.first_at', '<', eb.ref('exposures.first_at'))
            .then(eb.ref('excluded.first_at'))
            .else(eb.ref('exposures.first_at'))
            .end(),
          last_at: eb
            .case()
            .when('excluded.last_at', '>', eb.ref('exposures.last_at'))
            .then(eb.ref('excluded.last_at'))
            .else(eb.ref('exposures.last_at'))
            .end(),
        })),
      )
      .execute();
  }
}

function hexOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}
