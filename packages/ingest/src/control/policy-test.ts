import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { parseNetwork } from '../core/network.ts';
import { claimsSchema, policySchema, RULE_ACTIONS, ruleSchema } from '../core/policy.ts';
import { tryPolicy } from '../core/policy-trial.ts';
import { route, type Route } from '../http/route.ts';
import { tenantId } from '../http/schemas.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';

const address = z
  .string()
  .refine((text) => !text.includes('/') && parseNetwork(text) !== null, 'is an IPv4 or IPv6 address')
  .meta({ description: 'where the device would be', example: '203.0.113.7' });

const trial = z.object({
  rule: ruleSchema.extend({ number: z.int().positive() }).nullable(),
  action: z.enum(RULE_ACTIONS),
  enrolment: z.object({
    outcome: z.enum(['enrolled', 'pending_approval', 'refused']),
    code: z.string().optional(),
  }),
  lease: z
    .object({ profile: z.string(), blockAfterSeconds: z.int(), wipeAfterSeconds: z.int() })
    .nullable()
    .meta({ description: 'what an enrolled device is granted there; null is nothing' }),
  reported: z.boolean(),
  uploads: z.literal('accepted'),
});

/** Tries a policy before it is set, or the one that is. */
export function policyTestRoute({ registry }: ApiContext): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/policy/test',
    operationId: 'testPolicy',
    tag: 'control',
    summary: 'Which rule would match a device, and what would follow. Changes nothing.',
    access: 'admin',
    params: z.object({ tenant: tenantId }),
    body: z.strictObject({
      address,
      claims: claimsSchema.default({}),
      policy: policySchema
        .optional()
        .meta({ description: 'the policy to try; without it, the one in force' }),
    }),
    answers: { 200: { description: 'What the policy says', schema: trial } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant }, body: { address: from, claims, policy } }) => {
      const inForce = await policyOf(registry.db, tenant);
      if (inForce === null) return { fault: UNKNOWN_TENANT };
      return { status: 200, body: tryPolicy(policy ?? inForce, { address: from, claims }) };
    },
  });
}
