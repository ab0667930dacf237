import type { Fault } from '@tachograph/wire';
import { parseStoredPolicy, type Policy } from '../core/policy.ts';
import type { Db } from './registry.ts';

export const UNKNOWN_TENANT: Fault = {
  code: 'ERR_UNKNOWN_TENANT',
  detail: 'no tenant of this name is served here',
};

/** A tenant's policy, or `null` where there is no such tenant. */
export async function policyOf(db: Db, tenant: string): Promise<Policy | null> {
  const row = await db.selectFrom('tenants').select('policy').where('id', '=', tenant).executeTakeFirst();
  return row === undefined ? null : parseStoredPolicy(row.policy);
}

/**
 * The installation of a tenant's own log: the log that is in use, and those that it went on from when its key was
 * changed. They are rows beside those of devices, and no device.
 */
export function ownLogsOf(db: Db, tenant: string) {
  return db
    .selectFrom('tenant_logs')
    .innerJoin('devices', (join) =>
      join
        .onRef('devices.tenant', '=', 'tenant_logs.tenant')
        .onRef('devices.device', '=', 'tenant_logs.device'),
    )
    .select('devices.installation')
    .where('tenant_logs.tenant', '=', tenant);
}
