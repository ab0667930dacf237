import {
  DeadLetterFile,
  deadLettersStem,
  openBeside,
  sendAlong,
  type RouteInput,
  type StoredLetter,
} from '@tachograph/siem-export';
import { Command, InvalidArgumentError } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { dataFiles } from '../data-files.ts';
import { printable, type Io } from '../io.ts';
import { knownRoute, knownRoutes } from '../routes/known-routes.ts';
import { quietLogger } from '../routes/quiet-logger.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES, type Settings } from '../settings.ts';
import { formatTable } from '../table.ts';

const READS = new Set(['DATA_DIR', 'DATABASE_URL', 'ROUTES_FILE', 'EXPORT_FORMAT']);
const SHOWN_DEFAULT = 50;
/** Letters that are sent, and written down as delivered, at a time. */
const RETRY_BATCH = 200;

/** `tachograph dlq …` */
export function dlqCommand(io: Io): Command {
  return new Command('dlq')
    .description('dead letters: what did not reach its destination as an event, and why')
    .usage('<command> [options]')
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(retryCommand(io))
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(({ name }) => READS.has(name))));
}

function listCommand(io: Io): Command {
  return new Command('list')
    .description('list them, oldest first: those that were not delivered later')
    .argument('[route]', 'only those of this route')
    .option('--limit <number>', 'how many to show', parseCount, SHOWN_DEFAULT)
    .option('--json', 'print them as JSON, one a line')
    .action(async (name: string | undefined, { limit, json }: { limit: number; json?: boolean }) => {
      const settings = loadSettings(io.env);
      const routes =
        name === undefined ? (await knownRoutes(settings)).routes : [await knownRoute(settings, name)];
      const [rows, left] = [[] as (string | number)[][], { count: 0 }];
      for (const route of routes) {
        for await (const letter of lettersOf(settings, route)) {
          if (rows.length >= limit) left.count++;
          else if (json === true) io.out(`${JSON.stringify(asJson(letter))}\n`);
          else rows.push(rowOf(letter));
        }
      }
      if (json === true) return;
      if (rows.length === 0) return io.out('No dead letters.\n');
      io.out(formatTable(['id', 'time', 'route', 'refused by', 'tenant', 'action', 'reason'], rows));
      if (left.count > 0) io.out(`… and ${left.count} more: --limit shows more of them.\n`);
    });
}

function showCommand(io: Io): Command {
  return new Command('show')
    .description('show one of them: headers, reason and exact bytes')
    .argument('<id>', 'as `dlq list` prints it')
    .action(async (id: string) => {
      const settings = loadSettings(io.env);
      for (const route of (await knownRoutes(settings)).routes) {
        for await (const letter of lettersOf(settings, route)) {
          if (letter.id !== id) continue;
          io.out(`${JSON.stringify(asJson(letter), null, 2)}\n`);
          return;
        }
      }
      throw new CliFailure(`There is no dead letter ${id}.`, [
        '`tachograph dlq list` prints those that there are.',
      ]);
    });
}

function retryCommand(io: Io): Command {
  return new Command('retry')
    .description('send them along their route once more; what is delivered leaves the list')
    .argument('<route>', 'whose dead letters')
    .argument('[id...]', 'only these')
    .option('--dry-run', 'only say how many it would send')
    .action(async (name: string, ids: readonly string[], { dryRun }: { dryRun?: boolean }) => {
      const settings = loadSettings(io.env);
      const route = await knownRoute(settings, name);
      const count = await countOf(chosen(settings, route, ids));
      if (count === 0) io.out(`No such dead letters of ${name}.\n`);
      else if (dryRun === true) io.out(`${count} would be sent along ${name}.\n`);
      else await retry(io, settings, route, ids);
    });
}

async function retry(io: Io, settings: Settings, route: RouteInput, ids: readonly string[]): Promise<void> {
  const exportDir = dataFiles(settings.config.dataDir).exports;
  const { sink, route: parsed } = await openBeside(route, {
    purpose: 'retry',
    exportDir,
    env: io.env,
    logger: quietLogger,
  });
  const totals = { delivered: 0, refused: 0 };
  try {
    let batch: StoredLetter[] = [];
    const send = async (): Promise<void> => {
      const sent = await sendAlong(
        parsed,
        sink,
        batch.map(({ event }) => event),
        {
          clock: { now: () => Date.now(), sleep: (ms) => io.sleep(ms) },
          random: Math.random,
          logger: quietLogger,
          signal: new AbortController().signal,
        },
      );
      if (sent.kind === 'not-taken') {
        throw new CliFailure(`${route.name} took nothing: ${printable(sent.reason)}`, [
          `${totals.delivered} were delivered before. Repeat it later: what is delivered is not sent again.`,
        ]);
      }
      const refused = new Set(sent.refused.map(({ event }) => event));
      const delivered = batch.filter(({ event }) => !refused.has(event));
      await fileOf(settings, route).close(delivered, new Date().toISOString());
      for (const { event, reason } of sent.refused) io.out(`✗ ${idOf(batch, event)}: ${printable(reason)}\n`);
      totals.delivered += delivered.length;
      totals.refused += sent.refused.length;
      batch = [];
    };
    for await (const letter of chosen(settings, route, ids)) {
      batch.push(letter);
      if (batch.length >= RETRY_BATCH) await send();
    }
    if (batch.length > 0) await send();
  } finally {
    await sink.close();
  }
  io.out(`${totals.delivered} delivered, ${totals.refused} refused once more.\n`);
}

async function* chosen(
  settings: Settings,
  route: RouteInput,
  ids: readonly string[],
): AsyncGenerator<StoredLetter> {
  for await (const letter of lettersOf(settings, route)) {
    if (ids.length === 0 || ids.includes(letter.id)) yield letter;
  }
}

function lettersOf(settings: Settings, route: RouteInput): AsyncIterable<StoredLetter> {
  return fileOf(settings, route).open();
}

function fileOf({ config }: Settings, route: RouteInput): DeadLetterFile {
  return new DeadLetterFile(dataFiles(config.dataDir).exports, deadLettersStem(route));
}

function rowOf({ id, time, route, refusedBy, reason, event }: StoredLetter): string[] {
  const { ce_tenant: tenant = '', ce_type: action = '' } = event.headers;
  return [id, time, route, refusedBy, tenant, action, reason];
}

function asJson({ id, time, route, refusedBy, reason, event }: StoredLetter) {
  const { headers, value, partition, offset } = event;
  const data = Buffer.from(value).toString('base64');
  return { id, time, route, refusedBy, reason, partition, offset, headers, data_base64: data };
}

function idOf(batch: readonly StoredLetter[], event: StoredLetter['event']): string {
  return batch.find((letter) => letter.event === event)?.id ?? '';
}

async function countOf(letters: AsyncIterable<StoredLetter>): Promise<number> {
  let count = 0;
  for await (const _ of letters) count++;
  return count;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100_000) throw new InvalidArgumentError('1 to 100000');
  return count;
}
