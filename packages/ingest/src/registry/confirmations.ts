import { derivedEventId } from '@tachograph/wire';
import type { Attested } from '../core/leaf-content.ts';
import { isWhole } from '../core/purge-scopes.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import type { LogKey } from './heads.ts';
import type { Db } from './registry.ts';

/** A device's statement about its cache, durable in its log. */
export type Confirmation = LogKey & { readonly attests: Attested };

/**
 * Marks directives as confirmed, each once, and says so in the tenant's log. A device confirms its own directives, and
 * those of the devices whose store it has; any other directive is nothing that it could confirm. One for the whole
 * cache, and the end of the log, confirm every other directive of the same device: nothing is left to destroy.
 */
export async function storeConfirmations(
  trx: Db,
  confirmations: readonly Confirmation[],
  at: number,
): Promise<void> {
  for (const { attests, tenant, device } of confirmations) {
    const by = { tenant, device };
    if (attests.kind === 'closed') await storeClosed(trx, by, at);
    else await storePurged(trx, by, attests.directive, at);
  }
}

async function storePurged(trx: Db, by: LogKey, id: string, at: number): Promise<void> {
  const row = await trx
    .selectFrom('directives')
    .select(['device', 'note'])
    .where('id', '=', id)
    .where('tenant', '=', by.tenant)
    .where('confirmed_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined || !(await hasStoreOf(trx, by, row.device))) return;
  await confirm(trx, by, { id, device: row.device }, at);
  if (isWhole(row.note)) await confirmOpen(trx, by, row.device, at);
}

async function storeClosed(trx: Db, by: LogKey, at: number): Promise<void> {
  const { numUpdatedRows: closed } = await trx
    .updateTable('devices')
    .set({ log_closed_at: at })
    .where('tenant', '=', by.tenant)
    .where('device', '=', by.device)
    // Only a revoked device closes its log; of any other this is no end.
    .where('status', '=', 'revoked')
    .where('log_closed_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (closed === 1n) await confirmOpen(trx, by, by.device, at);
}

async function confirmOpen(trx: Db, by: LogKey, device: string, at: number): Promise<void> {
  const open = await trx
    .selectFrom('directives')
    .select(['id', 'device'])
    .where('tenant', '=', by.tenant)
    .where('device', '=', device)
    .where('confirmed_at', 'is', null)
    .execute();
  for (const directive of open) await confirm(trx, by, directive, at);
}

async function confirm(
  trx: Db,
  { tenant, device: by }: LogKey,
  { id: directive, device }: { readonly id: string; readonly device: string },
  at: number,
): Promise<void> {
  const { numUpdatedRows: confirmed } = await trx
    .updateTable('directives')
    .set({ confirmed_at: at })
    .where('id', '=', directive)
    .where('confirmed_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (confirmed !== 1n) return;
  await enqueueEvent(trx, {
    tenant,
    action: 'purge.confirmed',
    // The device attests it; nobody has proved that anything was deleted.
    actor: { id: by, type: 'device' },
    targets: [{ type: 'device', id: device }],
    data: { directive },
    id: derivedEventId('purge.confirmed', tenant, device, directive),
    at,
  });
}

/**
 * Whether `device` is where the store of `by` has been all along: itself, or one that it goes on from because the
 * store was damaged. After a fork or a rollback there is a second store, of which this one knows nothing.
 */
async function hasStoreOf(trx: Db, { tenant, device: by }: LogKey, device: string): Promise<boolean> {
  const seen = new Set<string>();
  for (let at: string | null = by; at !== null && !seen.has(at);) {
    if (at === device) return true;
    seen.add(at);
    const row: { predecessor: string | null; succession: string | null } | undefined = await trx
      .selectFrom('devices')
      .select(['predecessor', 'succession'])
      .where('tenant', '=', tenant)
      .where('device', '=', at)
      .executeTakeFirst();
    at = row?.succession === 'corrupt' ? row.predecessor : null;
  }
  return false;
}
