import { sql } from 'kysely';
import type { SenderClock } from '../core/time-bounds.ts';
import { inRows, type LogKey } from './heads.ts';
import type { Db } from './registry.ts';

/** What a device's newest request note says. */
export type Sighting = LogKey & {
  readonly clock: SenderClock;
  readonly pendingCount: number;
  readonly oldestPendingAt: number | null;
};

/** Over how many seconds of contact a long silence is forgotten: 30 days. */
const HABIT_FADES_SECONDS = 2_592_000;

/** What is left of the habit. In seconds, so that the product stays within 64 bits. */
const FADED = sql<number>`sightings.contact_gap_ms - 1000 * ((sightings.contact_gap_ms / 1000)
  * ((excluded.received_at - sightings.received_at) / 1000) / ${sql.lit(HABIT_FADES_SECONDS)})`;

/** The longest recent time between two notes: this one's, or what is left of the longest before. */
const HABIT = sql<number>`case when excluded.received_at - sightings.received_at >= ${FADED}
  then excluded.received_at - sightings.received_at else ${FADED} end`;

/** Remembers the newest request note of each device; an older one never replaces it. */
export async function storeSightings(trx: Db, sightings: readonly Sighting[]): Promise<void> {
  const newest = new Map<string, Sighting>();
  for (const sighting of sightings) newest.set(`${sighting.tenant}/${sighting.device}`, sighting);
  const rows = [...newest.values()].map(({ tenant, device, clock, pendingCount, oldestPendingAt }) => ({
    tenant,
    device,
    received_at: clock.receivedAt,
    pending_count: pendingCount,
    oldest_pending_at: oldestPendingAt,
    wall_at: clock.wallAt,
    boot: clock.boot,
    monotonic_ms: clock.monotonicMs,
    clock_offset_ms: clock.wallAt - clock.receivedAt,
  }));
  for (const some of inRows(rows)) {
    await trx
      .insertInto('sightings')
      .values(some)
      .onConflict((conflict) =>
        conflict
          .columns(['tenant', 'device'])
          .doUpdateSet((eb) => ({
            received_at: eb.ref('excluded.received_at'),
            pending_count: eb.ref('excluded.pending_count'),
            oldest_pending_at: eb.ref('excluded.oldest_pending_at'),
            wall_at: eb.ref('excluded.wall_at'),
            boot: eb.ref('excluded.boot'),
            monotonic_ms: eb.ref('excluded.monotonic_ms'),
            clock_offset_ms: eb.ref('excluded.clock_offset_ms'),
            contact_gap_ms: HABIT,
            dark_since: null,
          }))
          .whereRef('excluded.received_at', '>=', 'sightings.received_at'),
      )
      .execute();
  }
}
