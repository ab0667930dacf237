import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  assertNever,
  formatVkey,
  noteKey,
  originOf,
  PURGE_NOTE,
  SIGNATURE_TYPE,
  signStatement,
  type DeviceId,
  type Fault,
  type Origin,
  type Parsed,
  type TenantId,
} from '@tachograph/wire';
import type { ApiContext, ControlContext } from '../api-context.ts';
import { DEVICE_STATUSES } from '../enrolment/schemas.ts';
import { route, type AdminGrant, type Route } from '../http/route.ts';
import { deviceId, isoOf, line, tenantId, timestamp } from '../http/schemas.ts';
import type { Db } from '../registry/registry.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import { actorOf } from './actor.ts';
import { findManagedDevice } from './find-device.ts';

const params = z.object({ tenant: tenantId, device: deviceId });
type Address = { readonly tenant: TenantId; readonly device: DeviceId };
const PURGE_SCOPES_MAX = 256;

/** As a directive writes them: no space and no comma. */
const scope = z.string().regex(/^[\x21-\x2b\x2d-\x7e]{1,128}$/, 'is 1 to 128 printable characters, no comma');

const revokeBody = z.strictObject({
  reason: line(512),
  purge: z
    .array(scope)
    .max(PURGE_SCOPES_MAX)
    .refine((scopes) => !scopes.includes('*') || scopes.length === 1, '"*" stands alone')
    .default([])
    .meta({ description: 'what the device must destroy of its cache: "*", scopes of the app, or nothing' }),
});

/** Decisions about one device: to let it in, and to shut it out. */
export function decisionRoutes(context: ControlContext): Route[] {
  return [approveRoute(context), revokeRoute(context)];
}

function approveRoute(context: ApiContext): Route {
  const { registry, tenantLog } = context;
  return route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/devices/{device}/approve',
    operationId: 'approveDevice',
    tag: 'control',
    summary: 'Lets a waiting device in, or confirms a quarantined one.',
    access: 'admin',
    params,
    answers: {
      200: {
        description: 'The device is enrolled',
        schema: z.object({ device: z.string(), status: z.enum(DEVICE_STATUSES) }),
      },
    },
    errors: ['ERR_UNKNOWN_TENANT', 'ERR_UNKNOWN_DEVICE', 'ERR_REQUEST'],
    handle: async ({ params: address, admin }) => {
      const outcome = await registry.transaction((trx) => approve(trx, context, address, admin));
      if (outcome !== null) return { fault: outcome };
      tenantLog.wake();
      return { status: 200, body: { device: address.device, status: 'enrolled' } };
    },
  });
}

async function approve(
  trx: Db,
  { config, clock }: ApiContext,
  address: Address,
  admin: AdminGrant | null,
): Promise<Fault | null> {
  const found = await findManagedDevice(trx, address);
  if (!found.ok) return found.fault;
  const row = found.value;
  switch (row.status) {
    case 'enrolled':
      // A second click, or a lost answer.
      return null;
    case 'revoked':
      return { code: 'ERR_REQUEST', detail: 'a revoked device is not let in again', field: 'device' };
    case 'pending_approval':
    case 'quarantined':
      break;
    default:
      return assertNever(row.status);
  }
  const at = clock();
  await trx
    .updateTable('devices')
    .set({ status: 'enrolled' })
    .where('tenant', '=', address.tenant)
    .where('device', '=', address.device)
    .execute();
  const event = { tenant: address.tenant, actor: actorOf(admin), targets: [targetOf(address)], at };
  await enqueueEvent(trx, { ...event, action: 'device.approved', data: { from: row.status } });
  if (row.status === 'quarantined') return null;
  // Until now it was only requested: this is the event that gives verifiers its key.
  const origin = originOf(config.authority, address.tenant, address.device);
  const vkey = formatVkey(noteKey(origin, SIGNATURE_TYPE.ed25519, row.public_key));
  const { installation, subject } = row;
  await enqueueEvent(trx, {
    ...event,
    action: 'device.enrolled',
    data: { origin, vkey, status: 'enrolled', installation, ...(subject === null ? {} : { subject }) },
  });
  return null;
}

function revokeRoute(context: ControlContext): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/devices/{device}/revoke',
    operationId: 'revokeDevice',
    tag: 'control',
    summary: 'Revokes a device: no more leases, and an order to destroy its cache where one is given.',
    access: 'admin',
    params,
    body: revokeBody,
    answers: {
      200: {
        description: 'The device is revoked; it may still upload what it recorded',
        schema: z.object({
          device: z.string(),
          status: z.literal('revoked'),
          revokedAt: timestamp,
          directive: z.string().nullable().meta({ description: 'the signed purge note' }),
        }),
      },
    },
    errors: ['ERR_UNKNOWN_TENANT', 'ERR_UNKNOWN_DEVICE'],
    handle: async ({ params: address, body, admin }) => {
      const origin = originOf(context.config.authority, address.tenant, address.device);
      const at = context.clock();
      // Signed before the transaction, in which only queries are awaited; unused where the device is unknown.
      const directive = body.purge.length === 0 ? null : await signPurge(context, origin, body, at);
      const order = { address, reason: body.reason, directive, admin, at };
      const revoked = await context.registry.transaction((trx) => revoke(trx, order));
      if (!revoked.ok) return { fault: revoked.fault };
      context.tenantLog.wake();
      const answer = { device: address.device, status: 'revoked', revokedAt: isoOf(revoked.value) };
      return { status: 200, body: { ...answer, directive: directive?.note ?? null } };
    },
  });
}

type Directive = { readonly id: string; readonly note: string; readonly scopes: readonly string[] };

async function signPurge(
  { directive }: ControlContext,
  origin: Origin,
  { reason, purge: scopes }: z.output<typeof revokeBody>,
  issued: number,
): Promise<Directive> {
  const id = randomUUID();
  const note = await signStatement(PURGE_NOTE, { origin, id, scopes, reason, issued }, directive);
  return { id, note, scopes };
}

type Revocation = {
  readonly address: Address;
  readonly reason: string;
  readonly directive: Directive | null;
  readonly admin: AdminGrant | null;
  readonly at: number;
};

/** Revokes; one that was revoked before keeps its time and reason, and may get a further directive. */
async function revoke(
  trx: Db,
  { address, reason, directive, admin, at }: Revocation,
): Promise<Parsed<number>> {
  const found = await findManagedDevice(trx, address);
  if (!found.ok) return found;
  const revokedAt = found.value.revoked_at ?? at;
  const event = { tenant: address.tenant, actor: actorOf(admin), targets: [targetOf(address)], at };
  if (found.value.status !== 'revoked') {
    await trx
      .updateTable('devices')
      .set({ status: 'revoked', revoked_at: revokedAt, revocation_reason: reason })
      .where('tenant', '=', address.tenant)
      .where('device', '=', address.device)
      .execute();
    await enqueueEvent(trx, { ...event, action: 'device.revoked', data: { reason } });
  }
  if (directive !== null) {
    const { id, note, scopes } = directive;
    await trx
      .insertInto('directives')
      .values({ id, note, tenant: address.tenant, device: address.device, issued_at: at, confirmed_at: null })
      .execute();
    await enqueueEvent(trx, { ...event, action: 'purge.ordered', data: { directive: id, scopes, reason } });
  }
  return { ok: true, value: revokedAt };
}

function targetOf({ device }: Address) {
  return { type: 'device', id: device };
}
