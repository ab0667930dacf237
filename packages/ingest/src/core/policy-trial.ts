import type { ErrorCode } from '@tachograph/wire';
import { decideLease } from './lease-decision.ts';
import { evaluateRules, type Claims, type Policy, type PolicyRule } from './policy.ts';

/** What a policy makes of a device at an address: which rule matches, and what follows. */
export type PolicyTrial = {
  /** Numbered from 1; `null` where none matches, which allows. */
  readonly rule: ({ readonly number: number } & PolicyRule) | null;
  readonly action: PolicyRule['action'];
  /** Of a new device with a credential that is good. */
  readonly enrolment:
    | { readonly outcome: 'enrolled' | 'pending_approval' }
    | { readonly outcome: 'refused'; readonly code: ErrorCode };
  /** Of an enrolled device without a profile of its own; `null`: it gets none, and holds nothing offline. */
  readonly lease: {
    readonly profile: string;
    readonly blockAfterSeconds: number;
    readonly wipeAfterSeconds: number;
  } | null;
  /** Whether the tenant's log says more than usual about it. */
  readonly reported: boolean;
  /** No rule ever refuses events. */
  readonly uploads: 'accepted';
};

/** Tries `policy` on a device; the same code decides as when one enrols and asks for a lease. */
export function tryPolicy(
  policy: Policy,
  from: { readonly address: string; readonly claims: Claims },
): PolicyTrial {
  const { action, rule: index, leaseProfile } = evaluateRules(policy.enrolment.rules, from);
  const { terms } = decideLease(policy, null, from.address, from.claims);
  const rule = index === null ? undefined : policy.enrolment.rules[index];
  return {
    rule: rule === undefined || index === null ? null : { number: index + 1, ...rule },
    action,
    enrolment:
      action === 'deny'
        ? { outcome: 'refused', code: 'ERR_POLICY' }
        : { outcome: policy.enrolment.approval ? 'pending_approval' : 'enrolled' },
    lease: terms === null ? null : { profile: leaseProfile, ...terms },
    reported: action === 'report',
    uploads: 'accepted',
  };
}
