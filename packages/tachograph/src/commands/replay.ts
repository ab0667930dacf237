import {
  EXPORT_GROUP,
  openBeside,
  readAgain,
  sendAlong,
  type ReplayRange,
  type RouteInput,
  type Sent,
} from '@tachograph/siem-export';
import { Command, InvalidArgumentError } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { opening } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import { printable, type Io } from '../io.ts';
import { knownRoute } from '../routes/known-routes.ts';
import { quietLogger } from '../routes/quiet-logger.ts';
import { openLog } from '../serve/open-log.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES, type Settings } from '../settings.ts';

type Options = {
  readonly from?: string;
  readonly to?: string;
  readonly tenant?: readonly string[];
  readonly rate: number;
  readonly dryRun?: boolean;
};

const BATCH = 500;
const BAR_CHARACTERS = 30;
const WAIT_MS_MAX = 60_000;
const READS = /^(KAFKA_|DATA_DIR|DATABASE_URL|AUTHORITY|ROUTES_FILE|EXPORT_FORMAT)/;

/** `tachograph replay` */
export function replayCommand(io: Io): Command {
  return new Command('replay')
    .description('send a range of the feed along a route once more')
    .argument('<route>', 'its name')
    .option('--from <time>', 'received at this time or later (RFC 3339)', parseTime)
    .option('--to <time>', 'received before this time (RFC 3339)', parseTime)
    .option('--tenant <id>', 'only this tenant of the route; may be repeated', gather)
    .option('--rate <number>', 'events a second at most', parseRate, 1_000)
    .option('--dry-run', 'only say how many it would send')
    .addHelpText(
      'after',
      '\nThe events have the same ids as before: a destination that knows them keeps each once. A route to a file writes\n' +
        'to a file beside the feed. Positions do not move; it may run beside a running exporter.',
    )
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(({ name }) => READS.test(name))))
    .action(async (name: string, options: Options) => {
      const settings = loadSettings(io.env);
      await replay(io, settings, await knownRoute(settings, name), options);
    });
}

async function replay(io: Io, settings: Settings, route: RouteInput, options: Options): Promise<void> {
  const range = rangeOf(route, options);
  const opened = await opening(async (closers) => ({
    log: await openLog(settings.kafka, settings.config.dataDir, closers),
  }));
  try {
    const reader = await opened.log.openGroup(EXPORT_GROUP);
    const send = options.dryRun === true ? null : await sender(io, settings, route);
    const totals = { sent: 0, refused: 0 };
    try {
      for await (const { events, looked, total } of readAgain({ log: opened.log, reader }, range, BATCH)) {
        const startedAt = performance.now();
        if (events.length > 0 && send !== null) totals.refused += await send.send(events);
        totals.sent += events.length;
        io.err(`\r${bar(looked, total)} ${totals.sent.toLocaleString('en-US')} events`);
        const dueMs = (events.length / options.rate) * 1000 - (performance.now() - startedAt);
        if (send !== null && dueMs > 0) await io.sleep(dueMs);
      }
    } finally {
      await send?.close();
      io.err('\n');
    }
    io.out(summaryOf(route.name, totals, send?.file ?? null, options.dryRun === true));
  } finally {
    await opened.close();
  }
}

async function sender(io: Io, settings: Settings, route: RouteInput) {
  const exportDir = dataFiles(settings.config.dataDir).exports;
  const beside = await openBeside(route, { purpose: 'replay', exportDir, env: io.env, logger: quietLogger });
  type Events = Parameters<typeof sendAlong>[2];
  const context = {
    clock: { now: () => Date.now(), sleep: (ms: number) => io.sleep(ms) },
    random: Math.random,
    logger: quietLogger,
    signal: new AbortController().signal,
  };
  /** Waits for a destination that is away, and answers how many it refused. */
  const send = async (events: Events): Promise<number> => {
    for (;;) {
      const sent = await sendAlong(beside.route, beside.sink, events, context);
      if (sent.kind === 'settled') return sent.refused.length;
      await waitFor(io, route.name, sent);
    }
  };
  return { send, file: beside.file, close: () => beside.sink.close() };
}

async function waitFor(io: Io, route: string, sent: Sent & { kind: 'not-taken' }): Promise<void> {
  if (sent.trouble === 'halted') {
    throw new CliFailure(`${route} takes nothing: ${printable(sent.reason)}`, [
      'Mend that and repeat it: what the destination has already it knows by its id.',
    ]);
  }
  io.err(`\n  waiting: ${printable(sent.reason)}\n`);
  await io.sleep(Math.min(sent.waitMs ?? 1_000, WAIT_MS_MAX));
}

/** What the route chooses, within what the command line does. */
function rangeOf(route: RouteInput, { from, to, tenant }: Options): ReplayRange {
  const tenants =
    tenant === undefined
      ? route.tenants
      : tenant.filter((id) => route.tenants === '*' || route.tenants.includes(id));
  if (tenants.length === 0) {
    throw new CliFailure(`The route ${route.name} is not for ${tenant?.join(', ') ?? ''}.`);
  }
  const { actions } = route;
  return { tenants, ...(actions === undefined ? {} : { actions }), from: from ?? null, to: to ?? null };
}

function bar(looked: number, total: number): string {
  const share = total === 0 ? 1 : looked / total;
  const full = Math.round(share * BAR_CHARACTERS);
  return `[${'█'.repeat(full)}${'░'.repeat(BAR_CHARACTERS - full)}] ${Math.round(share * 100)} %`;
}

function summaryOf(
  route: string,
  { sent, refused }: { sent: number; refused: number },
  file: string | null,
  isDry: boolean,
): string {
  const events = sent === 1 ? '1 event' : `${sent.toLocaleString('en-US')} events`;
  if (isDry) return `${events} would be sent along ${route}.\n`;
  const where = file === null ? route : file;
  const rest = refused > 0 ? `, ${refused} of which were refused` : '';
  return `${events} sent to ${where}${rest}.\n`;
}

function parseTime(text: string): string {
  const time = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(time)) {
    throw new InvalidArgumentError('a time such as 2026-11-22T10:00:00Z');
  }
  return new Date(time).toISOString();
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!Number.isFinite(rate) || rate <= 0) throw new InvalidArgumentError('a number above 0');
  return rate;
}

function gather(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
