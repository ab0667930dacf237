import type { Fault, Parsed } from '@tachograph/wire';
import type { Db } from '../registry/registry.ts';
import { ownLogsOf, policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';

/**
 * A device of a tenant that administrators decide about; the tenant's own log is none.
 * @returns ERR_UNKNOWN_TENANT, ERR_UNKNOWN_DEVICE
 */
export async function findManagedDevice(
  db: Db,
  { tenant, device }: { readonly tenant: string; readonly device: string },
) {
  const row = await db
    .selectFrom('devices')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .where('installation', 'not in', ownLogsOf(db, tenant))
    .executeTakeFirst();
  if (row !== undefined) return { ok: true, value: row } satisfies Parsed<typeof row>;
  const fault: Fault =
    (await policyOf(db, tenant)) === null
      ? UNKNOWN_TENANT
      : { code: 'ERR_UNKNOWN_DEVICE', detail: 'the tenant has no such device' };
  return { ok: false, fault } as const;
}
