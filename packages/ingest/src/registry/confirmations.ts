import { derivedEventId } from '@tachograph/wire';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import type { LogKey } from './heads.ts';
import type { Db } from './registry.ts';

/** A device's statement, durable in its log, that it has carried out a directive. */
export type Confirmation = LogKey & { readonly directive: string };

/**
 * Marks directives as confirmed, each once, and says so in the tenant's log. A directive that is unknown, or
 * another device's, is nothing that this device could confirm.
 */
export async function storeConfirmations(
  trx: Db,
  confirmations: readonly Confirmation[],
  at: number,
): Promise<void> {
  for (const { tenant, device, directive } of confirmations) {
    const { numUpdatedRows: confirmed } = await trx
      .updateTable('directives')
      .set({ confirmed_at: at })
      .where('id', '=', directive)
      .where('tenant', '=', tenant)
      .where('device', '=', device)
      .where('confirmed_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (confirmed !== 1n) continue;
    await enqueueEvent(trx, {
      tenant,
      action: 'purge.confirmed',
      // The device attests it; nobody has proved that anything was deleted.
      actor: { id: device, type: 'device' },
      targets: [{ type: 'device', id: device }],
      data: { directive },
      id: derivedEventId('purge.confirmed', tenant, device, directive),
      at,
    });
  }
}
