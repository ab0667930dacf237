import { derivedEventId } from '@tachograph/wire';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import type { LogKey } from './heads.ts';
import type { Db } from './registry.ts';

/** A device's statement, durable in its log, that it has carried out a directive. */
export type Confirmation = LogKey & { readonly directive: string };

/**
 * Marks directives as confirmed, each once, and says so in the tenant's log. A device confirms its own, and those of
 * the devices that its log succeeded, whose store it has. Any other directive is nothing that it could confirm.
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
      .where((eb) =>
        eb.or([eb('device', '=', device), eb('device', 'in', succeededBy(trx, { tenant, device }))]),
      )
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

/** The devices that came before this one in its line. */
function succeededBy(trx: Db, { tenant, device }: LogKey) {
  return trx
    .selectFrom('devices as old')
    .innerJoin('devices as next', (join) =>
      join
        .onRef('next.tenant', '=', 'old.tenant')
        .onRef('next.installation', '=', 'old.installation')
        .onRef('next.enrolled_at', '>', 'old.enrolled_at'),
    )
    .select('old.device')
    .where('next.tenant', '=', tenant)
    .where('next.device', '=', device);
}
