import { z } from 'zod';
import {
  assertNever,
  formatVkey,
  noteKey,
  originOf,
  SIGNATURE_TYPE,
  type DeviceId,
  type Fault,
  type TenantId,
} from '@tachograph/wire';
import type { ApiContext } from '../api-context.ts';
import { DEVICE_STATUSES } from '../enrolment/schemas.ts';
import { route, type AdminGrant, type Route } from '../http/route.ts';
import { deviceId, tenantId } from '../http/schemas.ts';
import type { Db } from '../registry/registry.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import { actorOf } from './actor.ts';
import { findManagedDevice } from './find-device.ts';

const params = z.object({ tenant: tenantId, device: deviceId });
type Address = { readonly tenant: TenantId; readonly device: DeviceId };
/** The decision to let a device in. */
export function approveRoute(context: ApiContext): Route {
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
    errors: ['ERR_UNKNOWN_TENANT', 'ERR_UNKNOWN_DEVICE', 'ERR_REQUEST', 'ERR_TENANT_REVOKED'],
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
  const { revoked_at: tenantRevokedAt } = await trx
    .selectFrom('tenants')
    .select('revoked_at')
    .where('id', '=', address.tenant)
    .executeTakeFirstOrThrow();
  switch (row.status) {
    case 'enrolled':
      // A second click, or a lost answer.
      return null;
    case 'revoked':
      return { code: 'ERR_REQUEST', detail: 'a revoked device is not let in again', field: 'device' };
    case 'pending_approval':
    case 'quarantined':
      // A restored device can come in behind the revocation of its tenant.
      if (tenantRevokedAt === null) break;
      return { code: 'ERR_TENANT_REVOKED', detail: 'this tenant was revoked' };
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

function targetOf({ device }: Address) {
  return { type: 'device', id: device };
}
