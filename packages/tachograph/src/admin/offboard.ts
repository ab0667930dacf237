import { rename, writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { CliFailure } from '../cli-failure.ts';
import { parseDuration } from '../duration.ts';
import { errorMessage } from '../error-code.ts';
import type { Io } from '../io.ts';
import { formatTable } from '../table.ts';
import { adminCommand, adminPath, type AdminOptions } from './admin-options.ts';
import { callControl, controlAddress, type ControlAddress } from './control-client.ts';
import {
  offboardingReport,
  revokedCircle,
  type OffboardingReport,
  type Target,
} from './offboarding-answer.ts';
import { formatTargetsCsv } from './targets-csv.ts';

type OffboardOptions = AdminOptions & {
  readonly reason: string;
  readonly purge: readonly string[];
  readonly children?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly csv?: string;
};

const POLL_MS = 5_000;
const TARGETS_A_PAGE = 10_000;
/** Of the table; a file has all of them. */
const TARGETS_SHOWN = 50;

/** `tachograph offboard` */
export function offboardCommand(io: Io): Command {
  return adminCommand(
    'offboard',
    'revoke all devices of a person, purge them, and list the secrets to change',
  )
    .argument('<tenant>', 'the tenant')
    .argument('<subject>', 'the person, as tokens and sign-ins name them')
    .option('--reason <text>', 'why, for the record', 'offboarded')
    .option('--purge <scope...>', 'what devices must delete: * for all, or scopes that the app defines', [
      '*',
    ])
    .option('--children', 'the same for every customer of a provider')
    .option('--wait', 'wait until no device is pending any more')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait: 15m, 24h, 7d')
        .argParser(parseDuration)
        .default(3600, '1h'),
    )
    .option('--csv <file>', 'write the targets that the person revealed, exported or held to this file')
    .addHelpText('after', HELP)
    .action((tenant: string, subject: string, options: OffboardOptions) =>
      offboard(io, { tenant, subject }, options),
    );
}

const HELP = `
A device ends as purged (it says so itself, in its log), as lease_expired_unconfirmed (its app refuses the cache by
now; nothing was heard) or stays pending. Made again, the command orders nothing twice: it goes on, and reports.
It ends with code 1 where --wait was given and devices are still pending.`;

type Person = { readonly tenant: string; readonly subject: string };

async function offboard(io: Io, person: Person, options: OffboardOptions): Promise<void> {
  const address = controlAddress(io, options);
  const path = adminPath('tenants', person.tenant, 'subjects', person.subject);
  const query = options.children === true ? '?children=true' : '';
  const { reason, purge } = options;
  const order = { method: 'POST', path: `${path}/revoke${query}`, body: { reason, purge } } as const;
  const revoked = await callControl(io, address, order, revokedCircle);
  const report = options.wait === true ? waitUntilDone : readReport;
  const found = await report(io, address, { path: `${path}/offboarding`, ...options });
  if (options.csv !== undefined) {
    await writePrivately(options.csv, formatTargetsCsv(found.targets, found.targetsComplete));
  }
  io.out(options.json === true ? `${JSON.stringify(found, null, 2)}\n` : describe(revoked, found, options));
  const pending = found.devices.filter(({ end }) => end === 'pending').length;
  if (options.wait === true && pending > 0) {
    throw new CliFailure(`${pending} of ${found.devicesTotal} devices are still pending.`, [
      'Call it again to go on waiting; devices carry a purge out when they are next in contact.',
    ]);
  }
}

type Reading = Pick<OffboardOptions, 'children' | 'timeout'> & { readonly path: string };

async function waitUntilDone(io: Io, address: ControlAddress, reading: Reading): Promise<OffboardingReport> {
  const polls = Math.ceil((reading.timeout * 1000) / POLL_MS);
  for (let poll = 0; poll < polls; poll++) {
    const { done } = await readPage(io, address, reading, null, 0);
    if (done) break;
    await io.sleep(POLL_MS);
  }
  return readReport(io, address, reading);
}

/** The whole report, with the targets of all pages. */
async function readReport(io: Io, address: ControlAddress, reading: Reading): Promise<OffboardingReport> {
  const first = await readPage(io, address, reading, null, TARGETS_A_PAGE);
  const targets: Target[] = [...first.targets];
  for (let { cursor } = first; cursor !== null;) {
    const page = await readPage(io, address, reading, cursor, TARGETS_A_PAGE);
    targets.push(...page.targets);
    ({ cursor } = page);
  }
  return { ...first, targets, cursor: null };
}

function readPage(
  io: Io,
  address: ControlAddress,
  { path, children }: Reading,
  cursor: string | null,
  limit: number,
): Promise<z.infer<typeof offboardingReport>> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (children === true) query.set('children', 'true');
  if (cursor !== null) query.set('cursor', cursor);
  return callControl(io, address, { method: 'GET', path: `${path}?${query}` }, offboardingReport);
}

/** Whole or not at all, for its owner's eyes: it names what is worth stealing. */
async function writePrivately(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } catch (error) {
    throw new CliFailure(`The file could not be written: ${errorMessage(error)}`, [], { cause: error });
  }
}

function describe(
  revoked: z.infer<typeof revokedCircle>,
  report: OffboardingReport,
  { csv }: OffboardOptions,
): string {
  const { devices, targets, targetsComplete } = report;
  const lines = [
    `Revoked now: ${revoked.revoked} of ${revoked.devices} devices. Purges ordered: ${revoked.purgesOrdered}. Enrolment tokens ended: ${revoked.tokensEnded}.\n\n`,
    formatTable(
      ['device', 'tenant', 'label', 'end', 'purged', 'cache refused by', 'last seen'],
      devices.map((row) => [
        row.device,
        row.tenant,
        row.label,
        row.end,
        row.purgedAt,
        row.leaseBlocksAt,
        row.lastSeen,
      ]),
    ),
    `\nTargets revealed, exported or held in a cache, whose secrets to change: ${targets.length}\n`,
  ];
  if (targets.length > 0) lines.push(targetTable(targets.slice(0, TARGETS_SHOWN)));
  if (csv !== undefined) lines.push(`All of them stand in ${csv}\n`);
  else if (targets.length > TARGETS_SHOWN) lines.push('There are more: --csv or --json has all of them.\n');
  if (!targetsComplete) {
    lines.push(
      'The list is not complete: the log is still being read, parts of it were gone before, or a device named more than is kept.\n',
    );
  }
  return lines.join('');
}

function targetTable(targets: readonly Target[]): string {
  return formatTable(
    ['type', 'target', 'name', 'how', 'last', 'late'],
    targets.map((row) => [
      row.type,
      row.id,
      row.name,
      row.kinds.join(' '),
      row.lastAt,
      row.late ? row.revocation.join(' ') : null,
    ]),
  );
}
