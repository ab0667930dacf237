import { evaluateRules, leaseTerms, ruleGrounds, type Claims, type Decision, type Policy } from './policy.ts';

type Terms = { readonly blockAfterSeconds: number; readonly wipeAfterSeconds: number };

/** Whether a device gets a lease, and why. */
export type LeaseDecision = {
  readonly action: Decision['action'];
  /** `null`: none. */
  readonly terms: Terms | null;
  /** The decision in one word or two: as long as it is the same, nobody need be told. */
  readonly text: string;
  /** For the event: action, rule, profile and terms. */
  readonly grounds: { readonly [name: string]: unknown };
};

/** What the rules grant an enrolled device at `address`. A profile of its own holds wherever it is. */
export function decideLease(
  policy: Policy,
  ownProfile: string | null,
  address: string,
  claims: Claims = {},
): LeaseDecision {
  const decision = evaluateRules(policy.enrolment.rules, { address, claims });
  const { action } = decision;
  if (action === 'deny' || action === 'allow_without_cache') {
    return { action, terms: null, text: `${action} ${decision.rule}`, grounds: ruleGrounds(decision) };
  }
  const profile = ownProfile ?? decision.leaseProfile;
  const terms = leaseTerms(policy, profile);
  return {
    action,
    terms,
    text: `${action} ${decision.rule} ${profile}`,
    grounds: { ...ruleGrounds(decision), profile, ...terms },
  };
}

const HOUR_MS = 3_600_000;
/** 14 days in steps of an hour. */
const STEPS = 336;

/**
 * When a lease that is granted at `grantedAt` ends at the latest: a device counts from the sending of its request,
 * which was before. What is stored is later by a part of its length, an hour at most, so that a device's row is
 * written once in that time and not at each of its notes.
 */
export function leaseEnds({ blockAfterSeconds, wipeAfterSeconds }: Terms, grantedAt: number) {
  const slackMs = Math.min(HOUR_MS, Math.floor((wipeAfterSeconds * 1000) / STEPS));
  const blocksAt = grantedAt + blockAfterSeconds * 1000;
  const wipesAt = grantedAt + wipeAfterSeconds * 1000;
  return { blocksAt, wipesAt, storedBlocksAt: blocksAt + slackMs, storedWipesAt: wipesAt + slackMs };
}
