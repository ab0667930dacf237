import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { CliFailure } from '../cli-failure.ts';
import { errorMessage } from '../error-code.ts';
import type { Io } from '../io.ts';
import { adminCommand, adminPath, callAndPrint, type AdminOptions } from './admin-options.ts';

const trial = z.looseObject({
  rule: z.looseObject({ number: z.number() }).nullable(),
  action: z.string(),
  enrolment: z.looseObject({ outcome: z.string(), code: z.string().optional() }),
  lease: z
    .looseObject({ profile: z.string(), blockAfterSeconds: z.number(), wipeAfterSeconds: z.number() })
    .nullable(),
});
type Trial = z.infer<typeof trial>;

/** So that nobody relies on a rule over claims that nothing brings yet. */
const NO_CLAIMS_YET =
  'Note:      single sign-on is not there yet, so no device has claims: this is what would follow if it had these.\n';

type TestOptions = AdminOptions & {
  readonly address: string;
  readonly claims?: readonly string[];
  readonly policy?: string;
};

/** `tachograph policy …` */
export function policyCommand(io: Io): Command {
  return new Command('policy')
    .description('the policy of a tenant: who may enrol from where, and for how long devices may be offline')
    .usage('<command> [options]')
    .addCommand(showCommand(io))
    .addCommand(setCommand(io))
    .addCommand(testCommand(io));
}

function showCommand(io: Io): Command {
  return adminCommand('show', 'print the policy in force, as JSON')
    .argument('<tenant>', 'the tenant')
    .action((tenant: string, options: AdminOptions) =>
      callAndPrint(io, options, { method: 'GET', path: pathOf(tenant) }, z.looseObject({}), asJson),
    );
}

function setCommand(io: Io): Command {
  return adminCommand('set', 'replace the policy; it holds from the next enrolment and the next lease on')
    .argument('<tenant>', 'the tenant')
    .argument('<file>', 'the policy, as `policy show` prints it')
    .action(async (tenant: string, file: string, options: AdminOptions) =>
      callAndPrint(
        io,
        options,
        { method: 'PUT', path: pathOf(tenant), body: await readPolicy(file) },
        z.looseObject({}),
        asJson,
      ),
    );
}

function testCommand(io: Io): Command {
  return adminCommand('test', 'show which rule would match a device, and what would follow; changes nothing')
    .argument('<tenant>', 'the tenant')
    .requiredOption('--address <address>', 'where the device would be, such as 203.0.113.7')
    .option('--claims <name=value...>', 'claims of its sign-in; a name that stands twice has both values')
    .option('--policy <file>', 'try this policy, which is not set; without it, the one in force')
    .action(async (tenant: string, { address, claims = [], policy, ...options }: TestOptions) => {
      const body = {
        address,
        claims: claimsOf(claims),
        ...(policy === undefined ? {} : { policy: await readPolicy(policy) }),
      };
      const request = { method: 'POST', path: `${pathOf(tenant)}/test`, body } as const;
      const note = claims.length === 0 ? '' : NO_CLAIMS_YET;
      return callAndPrint(io, options, request, trial, (answer) => describe(answer) + note);
    });
}

function pathOf(tenant: string): string {
  return adminPath('tenants', tenant, 'policy');
}

function asJson(answer: unknown): string {
  return `${JSON.stringify(answer, null, 2)}\n`;
}

async function readPolicy(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new CliFailure(`${file} holds no policy: ${errorMessage(error)}`, [], { cause: error });
  }
}

function claimsOf(pairs: readonly string[]): { readonly [name: string]: readonly string[] } {
  const claims = new Map<string, string[]>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new CliFailure(`--claims takes name=value, not ${pair}`);
    const name = pair.slice(0, at);
    claims.set(name, [...(claims.get(name) ?? []), pair.slice(at + 1)]);
  }
  return Object.fromEntries(claims);
}

function describe({ rule, action, enrolment, lease }: Trial): string {
  const matched =
    rule === null ? 'No rule matches, which allows.' : `Rule ${rule.number} matches: ${JSON.stringify(rule)}`;
  const refused = enrolment.code === undefined ? '' : ` (${enrolment.code})`;
  const cache =
    lease === null
      ? 'none: it may hold nothing offline'
      : `profile ${lease.profile}: offline for ${lease.blockAfterSeconds} s, wiped after ${lease.wipeAfterSeconds} s`;
  return [
    matched,
    `Action:    ${action}`,
    `Enrolment: ${enrolment.outcome}${refused}`,
    `Lease:     ${cache}`,
    'Uploads:   accepted',
    '',
  ].join('\n');
}
