/** Counts of a route since the start of the process. `records` is `delivered` and `deadLettered` together. */
export type RouteCounts = {
  /** Records that the route asked for, and that are settled. */
  readonly records: number;
  /** The destination has it. */
  readonly delivered: number;
  /** Only the dead letters have it. */
  readonly deadLettered: number;
  /** What was found while reading, and told along this route. Not records. */
  readonly notices: number;
  /** Records of either kind whose content was rejected by ingest; each has a dead letter too. */
  readonly contentRejected: number;
  /** Moves of a position. */
  readonly commits: number;
  /** Offsets that retention had removed before this route read them. Not records: nobody knows what they held. */
  readonly expired: number;
};

export type MutableCounts = { -readonly [Name in keyof RouteCounts]: number };

export function noCounts(): MutableCounts {
  return {
    records: 0,
    delivered: 0,
    deadLettered: 0,
    notices: 0,
    contentRejected: 0,
    commits: 0,
    expired: 0,
  };
}

export function addCounts(total: MutableCounts, more: RouteCounts): void {
  for (const name of Object.keys(more) as (keyof MutableCounts)[]) total[name] += more[name];
}
