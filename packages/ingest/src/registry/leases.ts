import type { LogKey } from './heads.ts';
import type { Db } from './registry.ts';

/** What a device was last granted for offline use, and by which decision of the tenant's rules. */
export type KnownLease = {
  /** When its cache is refused, and wiped, at the latest; `null` where it never was granted any. */
  readonly blocksAt: number | null;
  readonly wipesAt: number | null;
  readonly decision: string;
};

/** Remembers a grant. The ends never move back: an earlier lease may be the one that the device holds. */
export async function storeLease(trx: Db, { tenant, device }: LogKey, lease: KnownLease): Promise<void> {
  const { blocksAt: blocks_at, wipesAt: wipes_at, decision } = lease;
  await trx
    .insertInto('leases')
    .values({ tenant, device, blocks_at, wipes_at, decision })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'device']).doUpdateSet((eb) => ({
        decision: eb.ref('excluded.decision'),
        blocks_at: eb
          .case()
          .when(
            eb.fn.coalesce('leases.blocks_at', eb.lit(0)),
            '>',
            eb.fn.coalesce('excluded.blocks_at', eb.lit(0)),
          )
          .then(eb.ref('leases.blocks_at'))
          .else(eb.ref('excluded.blocks_at'))
          .end(),
        wipes_at: eb
          .case()
          .when(
            eb.fn.coalesce('leases.wipes_at', eb.lit(0)),
            '>',
            eb.fn.coalesce('excluded.wipes_at', eb.lit(0)),
          )
          .then(eb.ref('leases.wipes_at'))
          .else(eb.ref('excluded.wipes_at'))
          .end(),
      })),
    )
    .execute();
}
