import type { FilteredRun } from '@tachograph/event-log';

/** What the log-order filter made of the records that it has read. Each record is in exactly one of these. */
export const FILTER_OUTCOMES = [
  /** Part of the feed: each route decides whether it asks for it. */
  'passed',
  /** Carried over from a predecessor's log, from which it was delivered already. */
  'carried',
  /** Delivered before. */
  'duplicate',
  /** Too late, or ahead without a receipt. */
  'stale',
  /** Another history of the same log. */
  'forked',
  /** Does not reproduce its own checkpoint, or is no append at all. */
  'invalid',
] as const;

/** Counts since the start of the process. `records` is the sum of the outcomes. */
export type FeedCounts = { readonly [Outcome in (typeof FILTER_OUTCOMES)[number]]: number } & {
  readonly records: number;
  /** Findings of the filter. Not records. */
  readonly alarms: number;
};

export type MutableFeedCounts = { -readonly [Name in keyof FeedCounts]: number };

export function noFeedCounts(): MutableFeedCounts {
  return { passed: 0, carried: 0, duplicate: 0, stale: 0, forked: 0, invalid: 0, records: 0, alarms: 0 };
}

export function addRun(total: MutableFeedCounts, { counts, alarms }: FilteredRun): void {
  const { delivered, carried, duplicates, stale, forked, invalid } = counts;
  total.passed += delivered;
  total.carried += carried;
  total.duplicate += duplicates;
  total.stale += stale;
  total.forked += forked;
  total.invalid += invalid;
  total.records += delivered + carried + duplicates + stale + forked + invalid;
  total.alarms += alarms.length;
}

export function sumOfFeedCounts(all: Iterable<FeedCounts>): FeedCounts {
  const total = noFeedCounts();
  for (const counts of all) for (const name of NAMES) total[name] += counts[name];
  return total;
}

const NAMES = [...FILTER_OUTCOMES, 'records', 'alarms'] as const;
