import { z } from 'zod';
import { LIMITS } from '@tachograph/wire';
import { isWithin, parseNetwork, type Network } from './network.ts';

/** What a rule decides. `report` allows, and says so in the tenant's log. */
export const RULE_ACTIONS = ['allow', 'allow_without_cache', 'report', 'deny'] as const;
type RuleAction = (typeof RULE_ACTIONS)[number];

/** The kinds of credentials that a tenant can enable. */
export const ENROLMENT_METHODS = ['token', 'predecessor'] as const;

const HOURS_MAX = 24 * 365;
/** Ten seconds: as short as a demonstration wants it. */
const HOURS_MIN = 10 / 3600;
const RULES_MAX = 200;

/** Text of printable ASCII that names something, such as a lease profile. */
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'is 1 to 63 of a-z, 0-9, _ and -');

/** A CIDR or one address, kept as it was written. */
export const cidrSchema = z
  .string()
  .refine((text) => parseNetwork(text) !== null, 'is not a CIDR such as 10.0.0.0/8 or 2001:db8::/32')
  .meta({ description: 'CIDR or address, IPv4 or IPv6, without host bits' });

const claim = z.union([z.string().min(1).max(1024), z.array(z.string().min(1).max(1024)).min(1).max(64)]);

/** The claims of a sign-in, each one value or several. */
export const claimsSchema = z.record(z.string().min(1).max(128), claim);

export const ruleSchema = z
  .strictObject({
    cidr: cidrSchema.optional(),
    claims: claimsSchema
      .optional()
      .meta({ description: 'claims of the sign-in, each of which must have one of these values' }),
    action: z.enum(RULE_ACTIONS),
    lease: name.optional().meta({ description: 'lease profile; "default" without it' }),
  })
  .meta({ description: 'one rule; the first that matches decides' });

const leaseSchema = z
  .strictObject({
    blockAfterHours: z.number().min(HOURS_MIN).max(HOURS_MAX),
    wipeAfterHours: z.number().min(HOURS_MIN).max(HOURS_MAX),
  })
  .refine(({ blockAfterHours, wipeAfterHours }) => blockAfterHours <= wipeAfterHours, {
    message: 'wipes before it blocks',
    path: ['wipeAfterHours'],
  });

/** Enough for the largest append to wait: a smaller quota could never be met. */
const WAITING_BYTES_MIN = 4 * LIMITS.appendBytesMax;

/** What all devices of a tenant may take together; rates and bytes are of one node. What is left out has no bound of its own. */
const quotaSchema = z.strictObject({
  devices: z
    .int()
    .min(0)
    .max(100_000_000)
    .optional()
    .meta({ description: 'devices that may be enrolled; revoked ones do not count' }),
  eventsPerSecond: z.int().min(1).max(10_000_000).optional(),
  appendsPerSecond: z.int().min(1).max(1_000_000).optional(),
  waitingBytes: z
    .int()
    .min(WAITING_BYTES_MIN)
    .max(16 * 1024 ** 3)
    .optional()
    .meta({ description: 'bytes that may wait for the log at one time' }),
});

/** A tenant's policy, as `PUT …/policy` takes it. What is left out gets its default; what is unknown is refused. */
export const policySchema = z
  .strictObject({
    enrolment: z
      .strictObject({
        methods: z
          .array(z.enum(ENROLMENT_METHODS))
          .max(ENROLMENT_METHODS.length)
          .default(['token', 'predecessor']),
        approval: z.boolean().default(false),
        rules: z.array(ruleSchema).max(RULES_MAX).default([]),
      })
      .prefault({}),
    leases: z.record(name, leaseSchema).default({}),
    quota: quotaSchema.default({}),
    dark: z
      .strictObject({
        afterHours: z
          .number()
          .min(1)
          .max(HOURS_MAX)
          .default(72)
          .meta({ description: 'silence that is ordinary, whatever the habit of a device' }),
      })
      .prefault({}),
  })
  .superRefine(({ enrolment, leases }, ctx) => {
    for (const [i, { lease }] of enrolment.rules.entries()) {
      if (lease === undefined || lease === 'default' || Object.hasOwn(leases, lease)) continue;
      const path = ['enrolment', 'rules', i, 'lease'];
      ctx.addIssue({ code: 'custom', path, message: `names no lease profile: ${lease}` });
    }
  });

export type Policy = z.output<typeof policySchema>;
export type Quota = Policy['quota'];
export type PolicyRule = Policy['enrolment']['rules'][number];

export const DEFAULT_POLICY: Policy = policySchema.parse({});

/** The claims of a sign-in; credentials without a sign-in have none. */
export type Claims = { readonly [name: string]: string | readonly string[] };

export type Decision = {
  readonly action: RuleAction;
  /** Index of the rule that decided; `null` where none matched, which allows. */
  readonly rule: number | null;
  readonly leaseProfile: string;
};

/** What a tenant's ordered rules say of a request from `address` with `claims`: the first that matches decides. */
export function evaluateRules(
  rules: readonly PolicyRule[],
  from: { readonly address: string; readonly claims: Claims },
): Decision {
  const rule = rules.findIndex((candidate) => matches(candidate, from.address, from.claims));
  const found = rules[rule];
  if (found === undefined) return { action: 'allow', rule: null, leaseProfile: 'default' };
  return { action: found.action, rule, leaseProfile: found.lease ?? 'default' };
}

/** What an event says of the rule that decided. Rules are numbered from 1 for people. */
export function ruleGrounds({ rule, action }: Decision): { readonly [name: string]: unknown } {
  return rule === null ? {} : { rule: { number: rule + 1, action } };
}

/** How long a lease of `profile` lasts, in seconds: 72 hours and 14 days where the policy does not say. */
export function leaseTerms(
  policy: Policy,
  profile: string,
): { readonly blockAfterSeconds: number; readonly wipeAfterSeconds: number } {
  const found = Object.hasOwn(policy.leases, profile) ? policy.leases[profile] : policy.leases['default'];
  const { blockAfterHours, wipeAfterHours } = found ?? { blockAfterHours: 72, wipeAfterHours: 14 * 24 };
  return {
    blockAfterSeconds: Math.round(blockAfterHours * 3600),
    wipeAfterSeconds: Math.round(wipeAfterHours * 3600),
  };
}

/** A policy as the registry stores it. */
export function parseStoredPolicy(text: string): Policy {
  return policySchema.parse(JSON.parse(text));
}

/** The networks of a list that {@link cidrSchema} has checked. */
export function networksOf(cidrs: readonly string[]): Network[] {
  return cidrs.map(parseNetwork).filter((network) => network !== null);
}

function matches(rule: PolicyRule, address: string, claims: Claims): boolean {
  if (rule.cidr !== undefined && !isWithin(address, networksOf([rule.cidr]))) return false;
  return Object.entries(rule.claims ?? {}).every(([claimName, wanted]) => {
    const found = Object.hasOwn(claims, claimName) ? claims[claimName]! : [];
    return [found].flat().some((value) => [wanted].flat().includes(value));
  });
}
