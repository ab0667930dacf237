import { HEADER, type EventLog, type StoredRecord } from '@tachograph/event-log';
import { utf8Text } from '@tachograph/wire';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { Io } from '../io.ts';
import { withExistingLog } from '../serve/existing-log.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES } from '../settings.ts';
import { formatTable } from '../table.ts';

type Options = { readonly late?: boolean; readonly limit: number; readonly follow?: boolean };

const READS = /^(KAFKA_|DATA_DIR|AUTHORITY)/;
/** Offsets of each partition that are looked at, from its end. */
const LOOK_BACK = 20_000;
/** As long as a device must have held an event back for it to be late. */
const LATE_MS = 5 * 60 * 1000;
const POLL_MS = 1_000;
const COLUMNS = ['received', 'late by', 'device', 'index', 'action', 'outcome', 'actor', 'target'];

/** `tachograph tail` */
export function tailCommand(io: Io): Command {
  return new Command('tail')
    .description('print the newest events of a tenant, as ingest received them')
    .argument('<tenant>', 'its id')
    .option('--late', 'only what devices held back for five minutes or more')
    .option('--limit <number>', 'how many', parseCount, 20)
    .option('--follow', 'go on with those that come, until it is ended')
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(({ name }) => READS.test(name))))
    .action(async (tenant: string, options: Options) => {
      await withExistingLog(loadSettings(io.env), async (log) => {
        const positions = await endsOf(log);
        const begun = [...positions].map(([id, next]) => [id, Math.max(0, next - LOOK_BACK)] as const);
        const found = await eventsFrom(log, new Map(begun), tenant, options);
        const newest = found.slice(-options.limit);
        io.out(newest.length === 0 ? 'No such events.\n' : formatTable(COLUMNS, newest.map(rowOf)));
        if (options.follow === true) await follow(io, log, positions, tenant, options);
      });
    });
}

async function follow(
  io: Io,
  log: EventLog,
  start: ReadonlyMap<number, number>,
  tenant: string,
  options: Options,
): Promise<void> {
  for (let positions = start; ;) {
    await io.sleep(POLL_MS);
    const ends = await endsOf(log);
    const found = await eventsFrom(log, positions, tenant, options);
    // Without its head: the rows go on below the table.
    if (found.length > 0) io.out(formatTable(COLUMNS, found.map(rowOf)).split('\n').slice(1).join('\n'));
    positions = ends;
  }
}

async function endsOf(log: EventLog): Promise<Map<number, number>> {
  const { partitions } = await log.describe();
  const ids = Array.from({ length: partitions }, (_, id) => id);
  return new Map(await Promise.all(ids.map(async (id) => [id, (await log.offsets(id)).next] as const)));
}

/** By when they were received; what ingest appended twice is there once. */
async function eventsFrom(
  log: EventLog,
  positions: ReadonlyMap<number, number>,
  tenant: string,
  { late = false }: Options,
): Promise<StoredRecord[]> {
  const events = new Map<string, StoredRecord>();
  for (const [partition, from] of positions) {
    for await (const records of log.readRange(partition, from, Number.MAX_SAFE_INTEGER)) {
      for (const record of records) {
        const { headers } = record;
        if (headers[HEADER.tenant] !== tenant || (late && latenessOf(record) < LATE_MS)) continue;
        events.set(headers[HEADER.id] ?? '', record);
      }
    }
  }
  return [...events.values()].toSorted((a, b) => receivedOf(a).localeCompare(receivedOf(b)));
}

const shown = z.object({
  outcome: z.string(),
  actor: z.object({ id: z.string(), email: z.string().optional() }),
  targets: z.array(z.object({ type: z.string(), id: z.string(), name: z.string().optional() })).optional(),
});

function rowOf(record: StoredRecord): (string | number)[] {
  const { headers, value } = record;
  const [device = '', index = ''] = (headers[HEADER.id] ?? '').split('/');
  const event = shown.safeParse(parseJson(utf8Text(value) ?? ''));
  const { outcome, actor, targets = [] } = event.success ? event.data : { outcome: '', actor: { id: '' } };
  const [target] = targets;
  const more = targets.length > 1 ? ` and ${targets.length - 1} more` : '';
  return [
    receivedOf(record),
    lateText(latenessOf(record)),
    `${device.slice(0, 8)}…`,
    index,
    headers[HEADER.type] ?? '',
    outcome,
    'email' in actor && actor.email !== undefined ? actor.email : actor.id,
    target === undefined ? '' : `${target.type} ${target.name ?? target.id}${more}`,
  ];
}

function receivedOf({ headers }: StoredRecord): string {
  return headers[HEADER.recordedTime] ?? '';
}

function latenessOf({ headers }: StoredRecord): number {
  return Number(headers[HEADER.lateness] ?? 0);
}

function lateText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${(seconds / 3_600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The one way `parse` fails is the input: what is no event shows only what ingest says of it.
    return undefined;
  }
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 10_000) throw new InvalidArgumentError('1 to 10000');
  return count;
}
