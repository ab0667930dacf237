import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { policySchema } from '../core/policy.ts';
import { route, type Route } from '../http/route.ts';
import { tenantId } from '../http/schemas.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import { actorOf } from './actor.ts';

const PATH = '/admin/v1/tenants/{tenant}/policy';
const params = z.object({ tenant: tenantId });

/** The policy of a tenant: how devices enrol, from where, what leases they get, and its quota. */
export function policyRoutes(context: ApiContext): Route[] {
  return [readRoute(context), replaceRoute(context)];
}

function readRoute({ registry }: ApiContext): Route {
  return route({
    method: 'GET',
    path: PATH,
    operationId: 'getPolicy',
    tag: 'control',
    summary: 'The policy of a tenant, with what it left out filled in.',
    access: 'admin',
    params,
    answers: { 200: { description: 'The policy', schema: policySchema } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant } }) => {
      const policy = await policyOf(registry.db, tenant);
      return policy === null ? { fault: UNKNOWN_TENANT } : { status: 200, body: policy };
    },
  });
}

function replaceRoute({ registry, clock, tenantLog }: ApiContext): Route {
  return route({
    method: 'PUT',
    path: PATH,
    operationId: 'putPolicy',
    tag: 'control',
    summary: 'Replaces the policy of a tenant. It holds from the next request on.',
    access: 'admin',
    params,
    body: policySchema,
    answers: { 200: { description: 'The policy as it is now', schema: policySchema } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant }, body: policy, admin }) => {
      const found = await registry.transaction(async (trx) => {
        const before = await policyOf(trx, tenant);
        if (before === null) return false;
        await trx
          .updateTable('tenants')
          .set({ policy: JSON.stringify(policy) })
          .where('id', '=', tenant)
          .execute();
        await enqueueEvent(trx, {
          tenant,
          action: 'tenant.policy_changed',
          actor: actorOf(admin),
          targets: [{ type: 'tenant', id: tenant }],
          // Whole policies can be longer than a leaf; what an analyst asks first is what was loosened.
          data: { before: summaryOf(before), after: summaryOf(policy) },
          at: clock(),
        });
        return true;
      });
      if (!found) return { fault: UNKNOWN_TENANT };
      tenantLog.wake();
      return { status: 200, body: policy };
    },
  });
}

function summaryOf({ enrolment, leases, quota }: z.output<typeof policySchema>) {
  const { methods, approval, rules } = enrolment;
  return {
    methods,
    approval,
    rules: rules.slice(0, 50).map(({ cidr = '*', action }) => `${cidr} ${action}`),
    ruleCount: rules.length,
    leaseProfiles: Object.keys(leases).slice(0, 50),
    quota,
  };
}
