import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_POLICY,
  evaluateRules,
  leaseTerms,
  parseStoredPolicy,
  policySchema,
} from '../../src/core/policy.ts';

const from = (address: string, claims = {}) => ({ address, claims });

describe('evaluateRules', () => {
  const { rules } = policySchema.parse({
    enrolment: {
      rules: [
        { cidr: '10.0.0.0/8', claims: { acrs: 'c1' }, action: 'allow', lease: 'office' },
        { cidr: '10.0.0.0/8', action: 'allow_without_cache' },
        { claims: { groups: ['ops', 'sec'] }, action: 'report' },
        { cidr: '2001:db8::/32', action: 'allow' },
        { action: 'deny' },
      ],
    },
    leases: { office: { blockAfterHours: 1, wipeAfterHours: 2 } },
  }).enrolment;

  it.each([
    [from('10.1.1.1', { acrs: ['c0', 'c1'] }), 'allow', 0, 'office'],
    [from('10.1.1.1'), 'allow_without_cache', 1, 'default'],
    [from('192.0.2.1', { groups: 'sec' }), 'report', 2, 'default'],
    [from('192.0.2.1', { groups: 'sales' }), 'deny', 4, 'default'],
    [from('2001:db8::1'), 'allow', 3, 'default'],
    [from('192.0.2.1', { acrs: 'c1' }), 'deny', 4, 'default'],
  ])(
    'lets the first rule that matches decide: %j is %s by rule %d',
    (request, action, rule, leaseProfile) => {
      expect(evaluateRules(rules, request)).toEqual({ action, rule, leaseProfile });
    },
  );

  it('allows where no rule matches', () => {
    expect(evaluateRules([], from('192.0.2.1'))).toEqual({
      action: 'allow',
      rule: null,
      leaseProfile: 'default',
    });
  });

  it('takes no claim from the prototype of what a sign-in claimed', () => {
    const denying = policySchema.parse({
      enrolment: { rules: [{ claims: { constructor: 'x' }, action: 'deny' }] },
    });
    expect(evaluateRules(denying.enrolment.rules, from('192.0.2.1')).action).toBe('allow');
  });
});

describe('leaseTerms', () => {
  it('are 72 hours and 14 days where the policy does not say', () => {
    expect(leaseTerms(DEFAULT_POLICY, 'default')).toEqual({
      blockAfterSeconds: 72 * 3600,
      wipeAfterSeconds: 14 * 24 * 3600,
    });
  });

  it('are those of the profile, else of the profile named default', () => {
    const policy = policySchema.parse({
      leases: {
        default: { blockAfterHours: 3, wipeAfterHours: 4 },
        office: { blockAfterHours: 1, wipeAfterHours: 2 },
      },
    });
    expect(leaseTerms(policy, 'office').blockAfterSeconds).toBe(3600);
    expect(leaseTerms(policy, 'gone').blockAfterSeconds).toBe(3 * 3600);
    expect(leaseTerms(policy, 'constructor').blockAfterSeconds).toBe(3 * 3600);
  });
});

describe('a policy', () => {
  it('that is empty is the default, and comes back from the registry as it was', () => {
    expect(policySchema.parse({})).toEqual(DEFAULT_POLICY);
    expect(parseStoredPolicy(JSON.stringify(DEFAULT_POLICY))).toEqual(DEFAULT_POLICY);
  });

  it('with a member that is not known is refused, not half understood', () => {
    expect(policySchema.safeParse({ enrolment: { methods: ['token'], aproval: true } }).success).toBe(false);
  });
});
