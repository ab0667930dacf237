import type { Actor, Parsed, TenantId } from '@tachograph/wire';
import type { ControlContext } from '../api-context.ts';
import { covers, scopesOf } from '../core/purge-scopes.ts';
import type { Db } from '../registry/registry.ts';
import type { LogKey } from '../registry/heads.ts';
import { ownLogsOf, policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import { findManagedDevice } from './find-device.ts';
import { signPurge, type Directive } from './purge-directive.ts';

/** Why devices are shut out, by whom, and what they must destroy: nothing, `*`, or scopes of the app. */
export type RevocationOrder = {
  readonly reason: string;
  readonly scopes: readonly string[];
  readonly actor: Actor;
  readonly at: number;
};

export type Revoked = {
  readonly revokedAt: number;
  /** The purge note that stands now; `null` where none was ordered, or the device has ended its log. */
  readonly directive: string | null;
  readonly isNew: boolean;
  readonly isPurgeNew: boolean;
};

/**
 * Revokes one device. One that was revoked before keeps its time and reason, and gets a directive only where no open
 * one orders the same: an order that is given twice is one.
 * @returns ERR_UNKNOWN_TENANT, ERR_UNKNOWN_DEVICE
 */
export async function revokeDevice(
  context: ControlContext,
  key: LogKey,
  order: RevocationOrder,
): Promise<Parsed<Revoked>> {
  const directive = await signed(context, key, order);
  return context.registry.transaction((trx) => revoke(trx, key, directive, order));
}

/** What is revoked as one: the devices of a person, or all of a tenant. */
export type Circle = {
  readonly tenant: TenantId;
  readonly subject: string | null;
  readonly children: boolean;
};

export type CircleRevoked = {
  readonly devices: number;
  readonly revoked: number;
  readonly purgesOrdered: number;
  readonly tokensEnded: number;
};

/**
 * Revokes every device of a circle. First the doors are closed (a person's enrolment tokens end; a revoked tenant
 * enrols nobody), so that no device comes in behind; then devices go page by page, and a call that is made again
 * goes on where one was cut off.
 * @returns ERR_UNKNOWN_TENANT
 */
export async function revokeCircle(
  context: ControlContext,
  circle: Circle,
  order: RevocationOrder,
): Promise<Parsed<CircleRevoked>> {
  const { registry } = context;
  if ((await policyOf(registry.db, circle.tenant)) === null) return { ok: false, fault: UNKNOWN_TENANT };
  const total = { devices: 0, revoked: 0, purgesOrdered: 0, tokensEnded: 0 };
  for (const tenant of await tenantsOf(registry.db, circle)) {
    total.tokensEnded += await registry.transaction((trx) => closeDoors(trx, tenant, circle, order));
    context.tenantLog.wake();
    for (let cursor = ''; ;) {
      const page = await devicesOf(registry.db, { ...circle, tenant }, cursor);
      const results = await revokePage(context, page, order);
      total.devices += page.length;
      total.revoked += results.filter(({ isNew }) => isNew).length;
      total.purgesOrdered += results.filter(({ isPurgeNew }) => isPurgeNew).length;
      context.tenantLog.wake();
      if (page.length < PAGE) break;
      cursor = page[page.length - 1]!.device;
    }
  }
  return { ok: true, value: total };
}

/** Devices that are revoked in one transaction: others wait for it. */
const PAGE = 100;

/** The tenant of a circle and, where it is asked for, its children. */
export async function tenantsOf(
  db: Db,
  { tenant, children }: Pick<Circle, 'tenant' | 'children'>,
): Promise<string[]> {
  const rows = await db
    .selectFrom('tenants')
    .select('id')
    .where((eb) =>
      children ? eb.or([eb('id', '=', tenant), eb('parent', '=', tenant)]) : eb('id', '=', tenant),
    )
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** @returns how many enrolment tokens ended */
async function closeDoors(
  trx: Db,
  tenant: string,
  { tenant: named, subject }: Circle,
  { actor, at, reason, scopes }: RevocationOrder,
): Promise<number> {
  const { numUpdatedRows: ended } = await trx
    .updateTable('enrolment_tokens')
    .set({ expires_at: at })
    .where('tenant', '=', tenant)
    .where('expires_at', '>', at)
    .where('uses_left', '>', 0)
    .$if(subject !== null, (some) => some.where('subject', '=', subject))
    .executeTakeFirstOrThrow();
  const event = { tenant, actor, at, data: { reason, purge: scopes, tokensEnded: Number(ended) } };
  if (subject !== null) {
    // Of a provider's customers those are told who have something to do with this person.
    const isConcerned =
      tenant === named || ended > 0n || (await devicesOf(trx, { tenant, subject }, '')).length > 0;
    if (!isConcerned) return 0;
    const targets = [{ type: 'subject', id: subject }];
    await enqueueEvent(trx, { ...event, action: 'subject.revoked', targets });
    return Number(ended);
  }
  const { numUpdatedRows: closed } = await trx
    .updateTable('tenants')
    .set({ revoked_at: at })
    .where('id', '=', tenant)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  const targets = [{ type: 'tenant', id: tenant }];
  if (closed === 1n) await enqueueEvent(trx, { ...event, action: 'tenant.revoked', targets });
  return Number(ended);
}

async function devicesOf(
  db: Db,
  { tenant, subject }: { readonly tenant: string; readonly subject: string | null },
  cursor: string,
): Promise<LogKey[]> {
  return db
    .selectFrom('devices')
    .select(['tenant', 'device'])
    .where('tenant', '=', tenant)
    .where('installation', 'not in', ownLogsOf(db, tenant))
    .where('device', '>', cursor)
    .$if(subject !== null, (some) => some.where('subject', '=', subject))
    .orderBy('device')
    .limit(PAGE)
    .execute();
}

/** One transaction. Directives are signed before it, since only queries are awaited inside. */
async function revokePage(
  context: ControlContext,
  page: readonly LogKey[],
  order: RevocationOrder,
): Promise<Revoked[]> {
  const directives = await Promise.all(page.map((key) => signed(context, key, order)));
  return context.registry.transaction(async (trx) => {
    const results: Revoked[] = [];
    for (const [i, key] of page.entries()) {
      const result = await revoke(trx, key, directives[i]!, order);
      if (result.ok) results.push(result.value);
    }
    return results;
  });
}

async function signed(
  context: ControlContext,
  key: LogKey,
  { scopes, reason, at }: RevocationOrder,
): Promise<Directive | null> {
  return scopes.length === 0 ? null : signPurge(context, key, { scopes, reason }, at);
}

async function revoke(
  trx: Db,
  key: LogKey,
  directive: Directive | null,
  order: RevocationOrder,
): Promise<Parsed<Revoked>> {
  const found = await findManagedDevice(trx, key);
  if (!found.ok) return found;
  const { reason, actor, at } = order;
  const revokedAt = found.value.revoked_at ?? at;
  const isNew = found.value.status !== 'revoked';
  const event = { tenant: key.tenant, actor, targets: [{ type: 'device', id: key.device }], at };
  if (isNew) {
    await trx
      .updateTable('devices')
      .set({ status: 'revoked', revoked_at: revokedAt, revocation_reason: reason })
      .where('tenant', '=', key.tenant)
      .where('device', '=', key.device)
      .execute();
    await enqueueEvent(trx, { ...event, action: 'device.revoked', data: { reason } });
  }
  // A log that is closed takes no report any more, and its device has destroyed all there was.
  if (directive === null || found.value.log_closed_at !== null)
    return { ok: true, value: { revokedAt, directive: null, isNew, isPurgeNew: false } };
  const open = await openOrder(trx, key, directive.scopes, isNew ? null : revokedAt);
  if (open !== null) return { ok: true, value: { revokedAt, directive: open, isNew, isPurgeNew: false } };
  await storeDirective(trx, key, directive, { actor, at, reason });
  return { ok: true, value: { revokedAt, directive: directive.note, isNew, isPurgeNew: true } };
}

/** Stores a directive, which every answer carries from now on, and says so in the tenant's log. */
async function storeDirective(
  trx: Db,
  { tenant, device }: LogKey,
  { id, note, scopes }: Directive,
  { actor, at, reason }: Pick<RevocationOrder, 'actor' | 'at' | 'reason'>,
): Promise<void> {
  await trx
    .insertInto('directives')
    .values({ id, note, tenant, device, issued_at: at, confirmed_at: null })
    .execute();
  await enqueueEvent(trx, {
    tenant,
    action: 'purge.ordered',
    actor,
    targets: [{ type: 'device', id: device }],
    data: { directive: id, scopes, reason },
    at,
  });
}

/**
 * A directive that stands and orders as much: one that is not confirmed yet or, for a device that was revoked before,
 * one that it has confirmed since.
 */
async function openOrder(
  trx: Db,
  { tenant, device }: LogKey,
  scopes: readonly string[],
  revokedAt: number | null,
): Promise<string | null> {
  const rows = await trx
    .selectFrom('directives')
    .select(['note', 'issued_at', 'confirmed_at'])
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .execute();
  const standing = rows.find(
    (row) =>
      covers(scopesOf(row.note), scopes) &&
      (row.confirmed_at === null || (revokedAt !== null && row.issued_at >= revokedAt)),
  );
  return standing?.note ?? null;
}
