import type { SeenReceipt } from '../core/leaf-content.ts';
import { insertCompiled } from './compiled.ts';
import type { LogKey } from './heads.ts';
import { inRows } from './heads.ts';
import type { Db } from './registry.ts';

/** A cosignature that was, or is about to be, handed out. */
export type Issued = LogKey & SeenReceipt;

export function issuedId({ tenant, device, size, timeSeconds }: Issued): string {
  return `${tenant}/${device}/${size}/${timeSeconds}`;
}

/** Which of `claimed` ingest issued, by {@link issuedId}. */
export async function findIssued(db: Db, claimed: readonly Issued[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (claimed.length === 0) return found;
  const wanted = new Map(claimed.map((issued) => [issuedId(issued), issued]));
  for (const some of inRows([...wanted.values()])) {
    const rows = await db
      .selectFrom('cosigned')
      .select(['tenant', 'device', 'size', 'time_seconds as timeSeconds'])
      .where((eb) =>
        eb.or(
          some.map(({ tenant, device, size, timeSeconds }) =>
            eb.and({ tenant, device, size, time_seconds: timeSeconds }),
          ),
        ),
      )
      .execute();
    for (const row of rows) found.add(issuedId(row));
  }
  return found;
}

/** How many cosignatures of one log are remembered, before `seen` of the oldest is no bound any more. */
const ISSUED_MAX = 256;

/** Remembers cosignatures, in the transaction that makes them true. */
export async function storeIssued(trx: Db, issued: readonly Issued[]): Promise<void> {
  const rows = issued.map(({ tenant, device, size, timeSeconds }) => ({
    tenant,
    device,
    size,
    time_seconds: timeSeconds,
  }));
  for (const some of inRows(rows)) {
    await insertCompiled(trx, 'cosigned', some, (values) =>
      trx
        .insertInto('cosigned')
        .values(values)
        .onConflict((conflict) => conflict.doNothing()),
    );
  }
}

/**
 * Forgets all but the newest cosignatures of a log. `anchor` is the size that its newest leaf had seen: a device
 * that comes back from a long time offline refers to that one in leaf after leaf, so it stays.
 */
export async function pruneIssued(trx: Db, key: LogKey, anchor: number | null): Promise<void> {
  const oldest = await trx
    .selectFrom('cosigned')
    .select('time_seconds')
    .where('tenant', '=', key.tenant)
    .where('device', '=', key.device)
    .orderBy('time_seconds', 'desc')
    .offset(ISSUED_MAX)
    .limit(1)
    .executeTakeFirst();
  if (oldest === undefined) return;
  await trx
    .deleteFrom('cosigned')
    .where('tenant', '=', key.tenant)
    .where('device', '=', key.device)
    .where('time_seconds', '<=', oldest.time_seconds)
    .where('size', '<>', anchor ?? -1)
    .execute();
}
