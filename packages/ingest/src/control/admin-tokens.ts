import { randomUUID } from 'node:crypto';
import { parseTenantId } from '@tachograph/wire';
import type { Clock } from '../context.ts';
import type { Gate } from '../http/register.ts';
import type { Db, Registry } from '../registry/registry.ts';
import { hashOfToken, newToken } from '../registry/tokens.ts';
import type { Secret } from '../secret.ts';

/** Makes an administrator token that reaches `tenant` and its children, or with `null` all. */
export async function createAdminToken(
  db: Db,
  options: { readonly tenant: string | null; readonly now: number; readonly expiresAt?: number | null },
): Promise<{ readonly id: string; readonly token: Secret }> {
  const token = newToken('admin');
  const id = randomUUID();
  await db
    .insertInto('admin_tokens')
    .values({
      id,
      hash: hashOfToken(token.reveal()),
      tenant: options.tenant,
      created_at: options.now,
      expires_at: options.expiresAt ?? null,
    })
    .execute();
  return { id, token };
}

/** Lets in the holders of `configured`, who reach all, and of the tokens in the registry. */
export function adminGate(registry: Registry, configured: Secret | null, clock: Clock): Gate {
  return {
    authenticate: async (token) => {
      if (configured?.equals(token)) return { id: 'environment', tenant: null };
      const row = await registry.db
        .selectFrom('admin_tokens')
        .select(['id', 'tenant'])
        .where('hash', '=', hashOfToken(token))
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', clock())]))
        .executeTakeFirst();
      if (row === undefined) return null;
      if (row.tenant === null) return { id: row.id, tenant: null };
      const tenant = parseTenantId(row.tenant);
      // A token of a damaged row reaches nothing; it must not reach everything.
      return tenant.ok ? { id: row.id, tenant: tenant.value } : null;
    },
    reaches: async (grant, tenant) => {
      if (grant.tenant === null || grant.tenant === tenant) return true;
      const row = await registry.db
        .selectFrom('tenants')
        .select('parent')
        .where('id', '=', tenant)
        .executeTakeFirst();
      return row?.parent === grant.tenant;
    },
  };
}
