import { z } from 'zod';

/**
 * What stands in the destination's own time field. The other times stand beside it in any case.
 * - `occurred`: the best estimate of when it happened.
 * - `received`: when ingest had it, for destinations whose rules look at a window of the last minutes.
 * - `auto`: occurred, and received once that is older than the destination accepts.
 */
export const timePolicy = z.union([
  z.literal('occurred'),
  z.literal('received'),
  z.strictObject({ auto: z.strictObject({ olderThanHours: z.number().positive().max(87_600) }) }),
]);

export type TimePolicy = z.infer<typeof timePolicy>;

/** RFC 3339; `received` is unknown of an alarm that says no time. */
type Candidates = {
  readonly occurred: string;
  readonly received: string | undefined;
  readonly exported: string;
};

const HOUR_MS = 60 * 60 * 1000;

/** The time that `policy` puts into the destination's time field. Pure. */
export function timeBy(policy: TimePolicy, { occurred, received, exported }: Candidates): string {
  if (policy === 'occurred') return occurred;
  if (policy === 'received') return received ?? exported;
  const now = Date.parse(exported);
  // What a destination was away for may make the time of reception too old, too.
  const isAccepted = (time: string): boolean =>
    now - Date.parse(time) <= policy.auto.olderThanHours * HOUR_MS;
  return [occurred, received].find((time) => time !== undefined && isAccepted(time)) ?? exported;
}
