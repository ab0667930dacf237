import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { route, type Route } from '../http/route.ts';
import { isoOrNull, tenantId, timestamp } from '../http/schemas.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import { createAdminToken } from './admin-tokens.ts';

const PATH = '/admin/v1/admin-tokens';
const LIFE_SECONDS_MAX = 366 * 24 * 3600;

/** Tokens for administrators, made and taken back by those who reach every tenant. */
export function adminTokenRoutes(context: ApiContext): Route[] {
  return [createRoute(context), deleteRoute(context)];
}

function createRoute({ registry, clock, logger }: ApiContext): Route {
  return route({
    method: 'POST',
    path: PATH,
    operationId: 'createAdminToken',
    tag: 'control',
    summary: 'Makes an administrator token, limited to a tenant and its children, or for all.',
    access: 'admin-all',
    body: z.strictObject({
      tenant: tenantId.nullable(),
      expiresInSeconds: z
        .int()
        .min(1)
        .max(LIFE_SECONDS_MAX)
        .optional()
        .meta({ description: 'without it, the token is good until it is taken back' }),
    }),
    answers: {
      201: {
        description: 'The token, shown this once',
        schema: z.object({
          id: z.string(),
          token: z.string(),
          tenant: z.string().nullable(),
          expiresAt: timestamp.nullable(),
        }),
      },
    },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ body: { tenant, expiresInSeconds }, admin }) => {
      if (tenant !== null && (await policyOf(registry.db, tenant)) === null) return { fault: UNKNOWN_TENANT };
      const now = clock();
      const expiresAt = expiresInSeconds === undefined ? null : now + expiresInSeconds * 1000;
      const { id, token } = await createAdminToken(registry.db, { tenant, now, expiresAt });
      logger.info({ adminToken: id, tenant, by: admin?.id }, 'admin_token.created');
      return { status: 201, body: { id, token: token.reveal(), tenant, expiresAt: isoOrNull(expiresAt) } };
    },
  });
}

function deleteRoute({ registry, logger }: ApiContext): Route {
  return route({
    method: 'DELETE',
    path: `${PATH}/{id}`,
    operationId: 'deleteAdminToken',
    tag: 'control',
    summary: 'Takes an administrator token back, at once.',
    access: 'admin-all',
    params: z.object({ id: z.uuid() }),
    answers: { 200: { description: 'It is good for nothing now', schema: z.object({ id: z.string() }) } },
    errors: ['ERR_NOT_FOUND'],
    handle: async ({ params: { id }, admin }) => {
      const { numDeletedRows } = await registry.db
        .deleteFrom('admin_tokens')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 0n)
        return { fault: { code: 'ERR_NOT_FOUND', detail: 'there is no such administrator token' } };
      logger.info({ adminToken: id, by: admin?.id }, 'admin_token.deleted');
      return { status: 200, body: { id } };
    },
  });
}
