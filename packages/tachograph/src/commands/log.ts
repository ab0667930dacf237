import { KafkaLog, type EventLog } from '@tachograph/event-log';
import { acceptLosses, findLosses, type PartitionLosses, type Registry } from '@tachograph/ingest';
import { Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { opening } from '../closers.ts';
import { lockFolder } from '../folder-lock.ts';
import type { Io } from '../io.ts';
import { lookAtRegistry, openRegistry } from '../serve/data-folder.ts';
import { openLog } from '../serve/open-log.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES } from '../settings.ts';
import { formatTable } from '../table.ts';

const BEFORE_ACCEPTING =
  '\nFirst try to bring the log back: a backup, another replica, the topic that was renamed. What is accepted as lost' +
  '\nstays lost for the feed. Devices keep what they hold no receipt for, and send it once the lanes go on. Stop every' +
  '\nserver and exporter of this deployment before.';

const BEFORE_REWINDING =
  '\nFor a host that only exports (`tachograph export`), whose positions stand in its own DATA_DIR. The feed goes back to' +
  '\nthe beginning of each partition that is not the one it has read, and drops what it has delivered before.';

type Kept = { readonly authority: string; readonly log: EventLog; readonly registry: Registry };

/** `tachograph log …` */
export function logCommand(io: Io): Command {
  return new Command('log')
    .description('what the ordered log should hold and does not, and how to go on without it')
    .usage('<command> [options]')
    .addCommand(lostCommand(io))
    .addCommand(acceptCommand(io))
    .addCommand(rewindCommand(io))
    .addHelpText(
      'after',
      environmentHelp(
        SERVER_VARIABLES.filter(({ name }) => /^(KAFKA_|DATA_DIR|DATABASE_URL|AUTHORITY)/.test(name)),
      ),
    );
}

function lostCommand(io: Io): Command {
  return new Command('lost')
    .description('list the entries that were settled and are not in the log any more; changes nothing')
    .option('--json', 'print them as JSON')
    .action(async (options: { json?: boolean }) => {
      const found = await withKept(io, false, (kept) => eachPartition(kept, findLosses));
      if (options.json === true) io.out(`${JSON.stringify(found.map(forJson), null, 2)}\n`);
      else io.out(describe(found));
    });
}

function acceptCommand(io: Io): Command {
  return new Command('accept-loss')
    .description('go on without what is lost, and say so in the log of each tenant (server.lost)')
    .option('--yes', 'do it; without this it only says what it would do')
    .addHelpText('after', BEFORE_ACCEPTING)
    .action(async (options: { yes?: boolean }) => {
      const yes = options.yes === true;
      const found = await withKept(io, yes, (kept) =>
        eachPartition(kept, (ports, partition) =>
          yes ? accept(ports, partition) : findLosses(ports, partition),
        ),
      );
      io.out(describe(found));
      if (found.length === 0) return;
      if (yes) io.out('Accepted. Start the servers: each loss is reported to its tenant as server.lost.\n');
      else
        throw new CliFailure('Nothing was changed.', [
          'Repeat it with --yes to go on without these entries.',
        ]);
    });
}

function rewindCommand(io: Io): Command {
  return new Command('rewind')
    .description(
      'take the feed of this host back where the log is not the one that it has read, after accept-loss',
    )
    .option('--yes', 'do it; its exporter must have ended')
    .addHelpText('after', BEFORE_REWINDING)
    .action(async (options: { yes?: boolean }) => {
      if (options.yes !== true) {
        const how =
          'Repeat it with --yes once `tachograph log accept-loss --yes` has been run where the registry is.';
        throw new CliFailure('Nothing was changed.', [how]);
      }
      const { config, kafka } = loadSettings(io.env);
      const opened = await opening(async (closers) => {
        return { log: await openLog(kafka, config.dataDir, closers) };
      });
      try {
        const { partitions } = await opened.log.describe();
        for (let partition = 0; partition < partitions; partition++) await rewind(opened.log, partition);
      } finally {
        await opened.close();
      }
      io.out('The feed of this host goes on from what the log holds now.\n');
    });
}

/** Also where nothing is lost any more: an earlier run may have ended before it came to this. */
async function accept(kept: Kept, partition: number): Promise<PartitionLosses | null> {
  const found = await acceptLosses({ ...kept, clock: Date.now }, partition);
  await rewind(kept.log, partition);
  return found;
}

/** Changes nothing where the groups know the log again. The embedded log keeps their positions with itself. */
async function rewind(log: EventLog, partition: number): Promise<void> {
  if (log instanceof KafkaLog) await log.rewindGroups(partition);
}

async function withKept<T>(io: Io, alone: boolean, work: (kept: Kept) => Promise<T>): Promise<T> {
  const { config, kafka } = loadSettings(io.env);
  const { dataDir, authority } = config;
  const opened = await opening(async (closers) => {
    if (alone) closers.add(lockFolder(dataDir, ['ingest', 'control']).release);
    // The registry first: where there is none, looking makes no log either.
    const registry = await (alone ? openRegistry : lookAtRegistry)(config, closers);
    return { authority, log: await openLog(kafka, dataDir, closers), registry };
  });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

async function eachPartition(
  kept: Kept,
  work: (kept: Kept, partition: number) => Promise<PartitionLosses | null>,
): Promise<PartitionLosses[]> {
  const partitions = await kept.registry.db.selectFrom('partitions').select('partition').execute();
  const found: PartitionLosses[] = [];
  for (const { partition } of partitions) {
    const losses = await work(kept, partition);
    if (losses !== null) found.push(losses);
  }
  return found;
}

function describe(found: readonly PartitionLosses[]): string {
  if (found.length === 0) return 'The log holds everything that was settled.\n';
  const reasons = found.map(({ reason }) => `✗ ${reason}\n`).join('');
  const losses = found.flatMap((one) => one.losses);
  if (losses.length === 0) return `${reasons}No entry of a device is missing.\n`;
  const rows = losses.map(({ tenant, device, from, to }) => [tenant, device, from, to - 1, to - from]);
  return `${reasons}\n${formatTable(['tenant', 'device', 'first', 'last', 'entries'], rows)}`;
}

function forJson({ partition, reason, losses }: PartitionLosses) {
  const entries = losses.map(({ tenant, device, from, to }) => ({ tenant, device, from, to }));
  return { partition, reason, losses: entries };
}
