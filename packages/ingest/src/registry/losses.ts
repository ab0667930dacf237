import { rootOf, toBase64, type CompactRange } from '@tachograph/wire';
import { enqueueEvent, INGEST_ACTOR } from '../tenant-log/outbox.ts';
import type { LogKey } from './heads.ts';
import { unpackRange } from './ranges.ts';
import type { Db } from './registry.ts';

/** Entries `from` to `to` − 1 of a device's log, which the ordered log should hold and does not. */
export type Loss = LogKey & {
  readonly origin: string;
  /** The state of the device's log, with all of these entries in it. */
  readonly range: CompactRange;
  readonly from: number;
  readonly to: number;
};

/** What a device's log should have in a partition. */
export type SettledHead = LogKey & {
  readonly range: CompactRange;
  /** The offset after its newest record, where that is known. */
  readonly endOffset: number | null;
};

/** Every log of a partition that has entries. */
export async function headsOfPartition(db: Db, partition: number): Promise<SettledHead[]> {
  const rows = await db
    .selectFrom('heads')
    .select(['tenant', 'device', 'size', 'range', 'end_offset'])
    .where('partition', '=', partition)
    .where('size', '>', 0)
    .orderBy('tenant')
    .orderBy('device')
    .execute();
  return rows.map(({ tenant, device, size, range, end_offset: endOffset }) => ({
    tenant,
    device,
    range: unpackRange(size, range),
    endOffset,
  }));
}

/** Says in the tenant's log what of a device's log is lost. A tenant that is not known any more has nobody to tell. */
export async function reportLoss(
  trx: Db,
  { tenant, device, origin, range, from, to }: Loss,
  at: number,
): Promise<void> {
  const known = await trx
    .selectFrom('tenant_logs')
    .select('device')
    .where('tenant', '=', tenant)
    .executeTakeFirst();
  if (known === undefined) return;
  await enqueueEvent(trx, {
    tenant,
    action: 'server.lost',
    actor: INGEST_ACTOR,
    targets: [{ type: 'device', id: device }],
    outcome: 'failure',
    data: { origin, from, to, root: toBase64(rootOf(range)) },
    at,
  });
}
