import type { CompactRange } from '@tachograph/wire';
import { checkClaim, isSettledAt, type Claim } from './append-check.ts';

/** A claim that continues its log, with the states before and after it. */
export type Admitted<Job> = { readonly job: Job; readonly edge: CompactRange; readonly next: CompactRange };

export type AppendPlan<Job> = {
  /** In order; a later one may build on an earlier one of the same log. */
  readonly admitted: readonly Admitted<Job>[];
  /** Claims of exactly the settled state: check-ins. */
  readonly present: readonly Job[];
  /** All others: answered from the state that the log has in the end. */
  readonly others: readonly Job[];
};

/** Sorts the requests of one write. `headOf` answers the settled state of a job's log. */
export function planAppends<Job>(
  jobs: readonly Job[],
  claimOf: (job: Job) => Claim,
  logOf: (job: Job) => string,
  headOf: (log: string) => CompactRange,
): AppendPlan<Job> {
  const moved = new Map<string, CompactRange>();
  const admitted: Admitted<Job>[] = [];
  const present: Job[] = [];
  const others: Job[] = [];
  for (const job of jobs) {
    const log = logOf(job);
    const edge = moved.get(log) ?? headOf(log);
    const verdict = checkClaim(edge, claimOf(job));
    if (verdict.kind === 'follows') {
      moved.set(log, verdict.next);
      admitted.push({ job, edge, next: verdict.next });
    } else if (verdict.kind === 'same' && !moved.has(log)) {
      present.push(job);
    } else {
      others.push(job);
    }
  }
  return { admitted, present, others };
}

/**
 * What a claim is once its log has been read to the end: `settled` where the log is exactly there, `absent` where
 * it would continue the log but nothing of it is there. A retry whose append is there already is a `conflict`,
 * unless `own` says that it was written just now.
 */
export function judgeSettled(
  head: CompactRange,
  claim: Claim,
  own: boolean,
): 'settled' | 'conflict' | 'mismatch' | 'absent' {
  if (own && isSettledAt(head, claim)) return 'settled';
  const verdict = checkClaim(head, claim);
  if (verdict.kind === 'same') return 'settled';
  return verdict.kind === 'follows' ? 'absent' : verdict.kind;
}
