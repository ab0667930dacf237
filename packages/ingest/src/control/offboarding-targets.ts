import { sql } from 'kysely';
import { EXPOSURE_KINDS, namesOfBits, REVOCATION_MARKS } from '../core/exposure.ts';
import type { Db } from '../registry/registry.ts';
import type { Person } from './offboarding-report.ts';

/** Where a page of targets goes on: behind this one. */
export type TargetKey = { readonly tenant: string; readonly type: string; readonly id: string };

/**
 * What a person exposed: on their own devices whoever acted, on others what they did themselves. One row a target,
 * one row more than `limit` where there are more, none with a limit of 0.
 */
export async function targetsOfPerson(
  db: Db,
  { tenants, subject }: Person,
  page: { readonly after: TargetKey | null; readonly limit: number },
) {
  const rows = page.limit === 0 ? [] : await targetsQuery(db, { tenants, subject }, page).execute();
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

/** Exported for a look at how databases run it. */
export function targetsQuery(
  db: Db,
  { tenants, subject }: Person,
  { after, limit }: { readonly after: TargetKey | null; readonly limit: number },
) {
  const parts = { tenants, subject, after };
  return db
    .selectFrom(
      onDevicesOf(db, parts)
        .unionAll(by(db, 'actor', parts))
        .unionAll(by(db, 'email', parts))
        .as('exposed'),
    )
    .select(['tenant', 'target_type', 'target_id'])
    .select((eb) => [
      eb.fn.max('target_name').as('name'),
      eb.fn.min('first_at').as('first_at'),
      eb.fn.max('last_at').as('last_at'),
      eb.fn.count<number | string>('device').distinct().as('devices'),
      bitsOf('kinds', Object.values(EXPOSURE_KINDS)).as('kinds'),
      bitsOf('marks', Object.values(REVOCATION_MARKS)).as('marks'),
    ])
    .groupBy(['tenant', 'target_type', 'target_id'])
    .orderBy('tenant')
    .orderBy('target_type')
    .orderBy('target_id')
    .limit(limit + 1);
}

type Part = Person & { readonly after: TargetKey | null };

/**
 * Each part of the union has an index of its own: one condition over all of them would read every exposure there is.
 * A row may be in two of them, which no aggregate below minds; a union that compared rows would want them sorted, and
 * read them by the wrong index.
 */
function onDevicesOf(db: Db, { tenants, subject, after }: Part) {
  return db
    .selectFrom('devices')
    .innerJoin('exposures', (join) =>
      join.onRef('exposures.tenant', '=', 'devices.tenant').onRef('exposures.device', '=', 'devices.device'),
    )
    .selectAll('exposures')
    .where('devices.tenant', 'in', [...tenants])
    .where('devices.subject', '=', subject)
    .$if(after !== null, (all) => all.where(isBehind(after)));
}

function by(db: Db, column: 'actor' | 'email', { tenants, subject, after }: Part) {
  return db
    .selectFrom('exposures')
    .selectAll('exposures')
    .where('exposures.tenant', 'in', [...tenants])
    .where(column, '=', subject)
    .$if(after !== null, (all) => all.where(isBehind(after)));
}

function isBehind(after: TargetKey | null) {
  return sql<boolean>`(exposures.tenant, target_type, target_id) > (${after?.tenant}, ${after?.type}, ${after?.id})`;
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
