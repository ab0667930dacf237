import { z } from 'zod';
import type { Fault, Parsed } from '@tachograph/wire';
import type { ApiContext } from '../api-context.ts';
import type { IngestContext } from '../context.ts';
import { DEFAULT_POLICY } from '../core/policy.ts';
import { route, type AdminGrant, type Route } from '../http/route.ts';
import { isoOf, line, tenantId, timestamp } from '../http/schemas.ts';
import { createTenantLog, enqueueEvent } from '../tenant-log/outbox.ts';
import { actorOf } from './actor.ts';

const tenantAnswer = z.object({
  id: z.string(),
  name: z.string(),
  parent: z.string().nullable(),
  createdAt: timestamp,
});
type TenantAnswer = z.output<typeof tenantAnswer>;

const tenantBody = z.strictObject({
  id: tenantId,
  name: line(256),
  parent: tenantId.optional().meta({ description: 'the provider that it is a customer of' }),
});

type CreatingContext = Pick<IngestContext, 'registry' | 'keys' | 'clock' | 'tenantLog'>;

/**
 * Makes a tenant with its own log, whose first event says so.
 * @returns ERR_EXISTS, ERR_UNKNOWN_TENANT for the parent, ERR_REQUEST where the parent has one itself
 */
export async function createTenant(
  { registry, keys, clock, tenantLog }: CreatingContext,
  {
    id,
    name,
    parent = null,
  }: { readonly id: string; readonly name: string; readonly parent?: string | null },
  admin: AdminGrant | null,
): Promise<Parsed<TenantAnswer>> {
  const at = clock();
  const outcome = await registry.transaction(async (trx): Promise<Parsed<TenantAnswer>> => {
    const tenants = await trx
      .selectFrom('tenants')
      .select(['id', 'parent'])
      .where('id', 'in', parent === null ? [id] : [id, parent])
      .execute();
    if (tenants.some((tenant) => tenant.id === id)) {
      return refused({ code: 'ERR_EXISTS', detail: 'there is a tenant of this name', field: 'id' });
    }
    const above = tenants.find((tenant) => tenant.id === parent);
    if (parent !== null && above === undefined) {
      return refused({ code: 'ERR_UNKNOWN_TENANT', detail: 'the parent does not exist', field: 'parent' });
    }
    // A token reaches a tenant and its children: deeper trees would need a rule for how far that goes.
    if (above !== undefined && above.parent !== null) {
      return refused({ code: 'ERR_REQUEST', detail: 'the parent is a customer itself', field: 'parent' });
    }
    const policy = JSON.stringify(DEFAULT_POLICY);
    await trx.insertInto('tenants').values({ id, name, parent, policy, created_at: at }).execute();
    await createTenantLog(trx, { tenant: id, publicKey: keys.log.key.publicKey, at });
    await enqueueEvent(trx, {
      tenant: id,
      action: 'tenant.created',
      actor: actorOf(admin),
      targets: [{ type: 'tenant', id, name }],
      data: parent === null ? {} : { parent },
      at,
    });
    return { ok: true, value: { id, name, parent, createdAt: isoOf(at) } };
  });
  tenantLog.wake();
  return outcome;
}

export function tenantRoutes(context: ApiContext): Route[] {
  return [createRoute(context), listRoute(context)];
}

function createRoute(context: ApiContext): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/tenants',
    operationId: 'createTenant',
    tag: 'control',
    summary: 'Makes a tenant. A token that is limited to a provider makes that provider’s customers.',
    access: 'admin',
    body: tenantBody,
    answers: { 201: { description: 'The tenant', schema: tenantAnswer } },
    errors: ['ERR_EXISTS', 'ERR_UNKNOWN_TENANT', 'ERR_FORBIDDEN'],
    handle: async ({ body, admin }) => {
      const mayCreate = admin !== null && (admin.tenant === null || admin.tenant === body.parent);
      if (!mayCreate) {
        const detail = 'the token makes customers of its own tenant only';
        return { fault: { code: 'ERR_FORBIDDEN', detail, field: 'parent' } };
      }
      const { id, name, parent = null } = body;
      const created = await createTenant(context, { id, name, parent }, admin);
      return created.ok ? { status: 201, body: created.value } : { fault: created.fault };
    },
  });
}

function listRoute({ registry }: ApiContext): Route {
  return route({
    method: 'GET',
    path: '/admin/v1/tenants',
    operationId: 'listTenants',
    tag: 'control',
    summary: 'The tenants that the token reaches.',
    access: 'admin',
    answers: {
      200: { description: 'Tenants, by name', schema: z.object({ tenants: z.array(tenantAnswer) }) },
    },
    handle: async ({ admin }) => {
      const all = registry.db
        .selectFrom('tenants')
        .select(['id', 'name', 'parent', 'created_at'])
        .orderBy('id');
      const only = admin?.tenant ?? null;
      const rows = await (
        only === null ? all : all.where((eb) => eb.or([eb('id', '=', only), eb('parent', '=', only)]))
      ).execute();
      const tenants = rows.map((row) => ({
        id: row.id,
        name: row.name,
        parent: row.parent,
        createdAt: isoOf(row.created_at),
      }));
      return { status: 200, body: { tenants } };
    },
  });
}

function refused(fault: Fault): { ok: false; fault: Fault } {
  return { ok: false, fault };
}
