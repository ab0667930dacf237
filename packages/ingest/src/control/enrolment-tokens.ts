import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { cidrSchema } from '../core/policy.ts';
import { route, type Route } from '../http/route.ts';
import { isoOf, line, tenantId, timestamp } from '../http/schemas.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import { hashOfToken, newToken } from '../registry/tokens.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import { actorOf } from './actor.ts';

const USES_MAX = 100_000;
const LIFE_SECONDS_MAX = 366 * 24 * 3600;
const NETWORKS_MAX = 100;

const tokenBody = z.strictObject({
  uses: z.int().min(1).max(USES_MAX).meta({ description: 'how many devices may enrol with it' }),
  expiresInSeconds: z.int().min(1).max(LIFE_SECONDS_MAX),
  networks: z.array(cidrSchema).min(1).max(NETWORKS_MAX).optional(),
  subject: line(256).optional().meta({ description: 'whose devices they will be' }),
});

/** Tokens that devices enrol with: shown once, kept as a hash. */
export function enrolmentTokenRoutes({ registry, clock, tenantLog }: ApiContext): Route[] {
  const create = route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/enrolment-tokens',
    operationId: 'createEnrolmentToken',
    tag: 'control',
    summary: 'Makes a token to enrol devices with.',
    access: 'admin',
    params: z.object({ tenant: tenantId }),
    body: tokenBody,
    answers: {
      201: {
        description: 'The token, shown this once',
        schema: z.object({ id: z.string(), token: z.string(), expiresAt: timestamp }),
      },
    },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant }, body, admin }) => {
      const now = clock();
      const token = newToken('enrolment');
      const id = randomUUID();
      const expiresAt = now + body.expiresInSeconds * 1000;
      const { uses, networks = null, subject = null } = body;
      const created = await registry.transaction(async (trx) => {
        if ((await policyOf(trx, tenant)) === null) return false;
        const hash = hashOfToken(token.reveal());
        await trx
          .insertInto('enrolment_tokens')
          .values({
            id,
            tenant,
            hash,
            uses_left: uses,
            expires_at: expiresAt,
            networks: networks === null ? null : JSON.stringify(networks),
            subject,
            created_at: now,
          })
          .execute();
        await enqueueEvent(trx, {
          tenant,
          action: 'enrolment_token.created',
          actor: actorOf(admin),
          targets: [{ type: 'enrolment_token', id }],
          data: { uses, expiresAt: isoOf(expiresAt), networks, subject },
          at: now,
        });
        return true;
      });
      if (!created) return { fault: UNKNOWN_TENANT };
      tenantLog.wake();
      return { status: 201, body: { id, token: token.reveal(), expiresAt: isoOf(expiresAt) } };
    },
  });
  return [create];
}
