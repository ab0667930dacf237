import { deviceIdOf, originOf, type Authority, type NoteSigner, type TenantId } from '@tachograph/wire';
import type { Clock } from '../context.ts';
import type { LogKey } from '../registry/heads.ts';
import type { Db, Registry } from '../registry/registry.ts';
import { enqueueEvent, INGEST_ACTOR } from './outbox.ts';

export type MovePorts = {
  readonly authority: Authority;
  readonly registry: Registry;
  readonly clock: Clock;
  /** The key that tenants' own logs have now. */
  readonly key: NoteSigner;
};

/**
 * After the log key was changed: lets each tenant's own log go on under the new key, once nothing waits for the old
 * one. The new log begins by naming the one before; both have the same installation, so a SIEM sees one asset.
 * @returns how many have moved
 */
export async function moveTenantLogs({ authority, registry, clock, key }: MovePorts): Promise<number> {
  const next = deviceIdOf(key.key.publicKey);
  const old = await registry.db
    .selectFrom('tenant_logs')
    .select(['tenant', 'device'])
    .where('device', '<>', next)
    .execute();
  let moved = 0;
  for (const log of old) {
    const isMoved = await registry.transaction(async (trx) => {
      if (!(await openNext(trx, log, key, clock()))) return false;
      await enqueueEvent(trx, {
        tenant: log.tenant,
        action: 'log.opened',
        actor: INGEST_ACTOR,
        data: { predecessor: originOf(authority, log.tenant as TenantId, log.device as typeof next) },
        at: clock(),
      });
      return true;
    });
    if (isMoved) moved++;
  }
  return moved;
}

/** `false`, and nothing is changed, where events still wait for the old log, or another node has moved it. */
async function openNext(
  trx: Db,
  { tenant, device }: LogKey,
  { key }: NoteSigner,
  at: number,
): Promise<boolean> {
  const waiting = await trx
    .selectFrom('outbox')
    .select('leaf_index')
    .where('tenant', '=', tenant)
    .limit(1)
    .executeTakeFirst();
  const next = deviceIdOf(key.publicKey);
  if (waiting !== undefined) return false;
  const { numUpdatedRows: moved } = await trx
    .updateTable('tenant_logs')
    .set({ device: next, next_index: 0 })
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  if (moved !== 1n) return false;
  const old = await trx
    .selectFrom('devices')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('devices')
    .values({ ...old, device: next, public_key: key.publicKey, predecessor: device, enrolled_at: at })
    .execute();
  return true;
}
