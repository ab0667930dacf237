import { existsSync } from 'node:fs';
import {
  exitCodeOf,
  fileSource,
  FINDINGS,
  logSource,
  receiptSeconds,
  routeSource,
  UNREADABLE_CODE,
  verifyFeed,
  type FeedReport,
  type FeedSource,
} from '@tachograph/siem-export';
import { Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { dataFiles } from '../data-files.ts';
import type { Io } from '../io.ts';
import { knownRoute } from '../routes/known-routes.ts';
import { withExistingLog } from '../serve/existing-log.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES, type Settings } from '../settings.ts';
import { readCheckpoints } from '../verify/checkpoints.ts';
import { publicKeys } from '../verify/public-keys.ts';
import { reportText, verdictOf } from '../verify/report-text.ts';

type Options = {
  readonly route?: string;
  readonly deadLetters?: readonly string[];
  readonly keys?: string;
  readonly checkpoints?: string;
  readonly partial?: boolean;
  readonly json?: boolean;
};

const READS = /^(KAFKA_|DATA_DIR|AUTHORITY)/;

/** `tachograph verify` */
export function verifyCommand(io: Io): Command {
  return new Command('verify')
    .description(
      'check a feed against the signatures of the devices: complete, or exactly what is missing, altered, doubled or ' +
        'at another place',
    )
    .argument(
      '[file]',
      'an exported file (cloudevents, ecs or ocsf), with its rotated ones; else the ordered log',
    )
    .option(
      '--route <name>',
      'what the destination of this route holds (file, opensearch), with its dead letters',
    )
    .option(
      '--dead-letters <file>',
      'has the entries that the format has no place for; may be repeated',
      gather,
      [],
    )
    .option('--keys <file>', 'public keys as `tachograph keys show` prints them; else those in DATA_DIR')
    .option(
      '--checkpoints <file>',
      'what ingest has cosigned, one after the other: so an end that was cut off is seen',
    )
    .option('--partial', 'the feed begins in the middle, as after retention: what is before is not missing')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', CODES)
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(({ name }) => READS.test(name))))
    .action(async (file: string | undefined, options: Options) => {
      const report = await verify(io, loadSettings(io.env), file, options);
      io.out(
        options.json === true ? `${JSON.stringify(forJson(report), null, 2)}\n` : `${reportText(report)}\n`,
      );
      const exitCode = exitCodeOf(report);
      if (exitCode !== 0) throw new CliFailure(verdictOf(report), [], { exitCode });
      if (options.json !== true) io.out(`✓ ${verdictOf(report)}\n`);
    });
}

const CODES = `
Ends with 0 where everything is proven, else with the code of the gravest finding:
${Object.entries(FINDINGS)
  .map(([kind, { code, says }]) => `  ${code}  ${kind.padEnd(10)}  an entry ${says}\n`)
  .join('')}  ${UNREADABLE_CODE}  a line cannot be read, and everything else is proven
Only public keys are needed. It changes nothing, and may run beside a running server.`;

async function verify(
  io: Io,
  settings: Settings,
  file: string | undefined,
  options: Options,
): Promise<FeedReport> {
  const { config } = settings;
  const keys = await publicKeys(options.keys, config);
  const heads =
    options.checkpoints === undefined
      ? new Map()
      : await readCheckpoints(options.checkpoints, keys.cosigners);
  const rest = {
    logKeys: keys.logs.map(({ publicKey }) => publicKey),
    isPartial: options.partial === true,
    heads,
  };
  if (options.route !== undefined) return verifyFeed(await sourceOf(io, settings, options.route), rest);
  if (file !== undefined) {
    const letters = options.deadLetters ?? [];
    for (const path of [file, ...letters]) if (!existsSync(path)) throw absent(path);
    return verifyFeed(fileSource(file, letters), rest);
  }
  return withExistingLog(settings, (log, name) =>
    verifyFeed(
      logSource(
        log,
        name,
        receiptSeconds(async () => keys.cosigners),
      ),
      rest,
    ),
  );
}

async function sourceOf(io: Io, settings: Settings, name: string): Promise<FeedSource> {
  const route = await knownRoute(settings, name);
  const source = routeSource(route, { exportDir: dataFiles(settings.config.dataDir).exports, env: io.env });
  if (source !== null) return source;
  throw new CliFailure(`What the route ${name} has delivered cannot be verified from here.`, [
    'It can be where the destination is a file (cloudevents, ecs, ocsf) or opensearch (ecs).',
  ]);
}

function absent(path: string): CliFailure {
  return new CliFailure(`There is no ${path}.`, [
    'Name an exported file, or none for the ordered log of this installation.',
  ]);
}

function gather(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function forJson({ source, logs, unreadable, unreadableCount, notices }: FeedReport) {
  return { source, logs, unreadable, unreadableCount, notices: Object.fromEntries(notices) };
}
