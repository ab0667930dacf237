/** What became of the records that a route has read and settled. Each record is in exactly one of these. */
export const OUTCOMES_OF_RECORDS = [
  /** The destination has it. */
  'delivered',
  /** Only the dead letters have it. */
  'deadLettered',
  /** Not of this route's tenants or actions. */
  'notRouted',
  /** Carried over from a predecessor's log, from which it was delivered already. */
  'carried',
  /** The log-order filter: delivered before. */
  'duplicate',
  /** The log-order filter: too late, or ahead without a receipt. */
  'stale',
  /** The log-order filter: another history of the same log. */
  'forked',
  /** The log-order filter: does not reproduce its own checkpoint, or is no append at all. */
  'invalid',
] as const;

type RecordOutcome = (typeof OUTCOMES_OF_RECORDS)[number];

/** Counts since the start of the process. `records` is the sum of the outcomes. */
export type RouteCounts = { readonly [Outcome in RecordOutcome]: number } & {
  readonly records: number;
  /** Events that the exporter made itself: what the filter found. Not records. */
  readonly alarms: number;
  /** Records of any outcome whose content was rejected by ingest; each has a dead letter too. */
  readonly contentRejected: number;
  readonly commits: number;
  /** Offsets that retention had removed before this route read them. Not records: nobody knows what they held. */
  readonly expired: number;
};

export type MutableCounts = { -readonly [Name in keyof RouteCounts]: number };

export function noCounts(): MutableCounts {
  const outcomes = Object.fromEntries(OUTCOMES_OF_RECORDS.map((name) => [name, 0]));
  return {
    ...(outcomes as Record<RecordOutcome, number>),
    records: 0,
    alarms: 0,
    contentRejected: 0,
    commits: 0,
    expired: 0,
  };
}

export function addCounts(total: MutableCounts, more: MutableCounts): void {
  for (const name of Object.keys(more) as (keyof MutableCounts)[]) total[name] += more[name];
}
