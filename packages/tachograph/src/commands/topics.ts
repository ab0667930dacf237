import { createKafkaTopic, type TopicMade } from '@tachograph/event-log';
import { Command, Option } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { parseCount, parseDuration } from '../duration.ts';
import type { Io } from '../io.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { kafkaFailure } from '../serve/kafka-failure.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES } from '../settings.ts';

type Options = {
  readonly partitions: number;
  readonly replicas: number;
  readonly minInSync: number;
  /** Milliseconds; infinite for ever. */
  readonly retention: number;
};

/** Long enough to restore an exporter, or to add one that reads from the start. */
const RETENTION_DAYS = 30;

const MENDS =
  '\nA topic that is there is given the same settings; its partitions and replicas stay as they are. Choose the\n' +
  'partitions once: with another number of them, devices would change places and their events their order.';

/** `tachograph topics …` */
export function topicsCommand(io: Io): Command {
  return new Command('topics')
    .description('the topic of Apache Kafka that is the ordered log')
    .usage('<command> [options]')
    .addCommand(createCommand(io))
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(({ name }) => name.startsWith('KAFKA_'))));
}

function createCommand(io: Io): Command {
  return new Command('create')
    .description('make the topic with settings that lose nothing, or give them to the one that is there')
    .option('--partitions <number>', 'how many ways side by side', parseCount, 12)
    .option('--replicas <number>', 'brokers that keep each event', parseCount, 3)
    .option('--min-in-sync <number>', 'brokers that must have an event before it counts', parseCount, 2)
    .addOption(
      new Option('--retention <duration>', 'how long events are kept: 90d, or forever')
        .argParser(parseRetention)
        .default(RETENTION_DAYS * 86_400_000, `${RETENTION_DAYS}d`),
    )
    .addHelpText('after', MENDS)
    .action(async (options: Options) => {
      const { kafka } = loadSettings(io.env);
      if (kafka === null)
        throw new CliFailure('No Kafka is named.', ['Name its brokers with KAFKA_BROKERS.']);
      report(io, kafka, await make(kafka, options));
    });
}

async function make(kafka: KafkaSettings, options: Options): Promise<TopicMade> {
  const { partitions, replicas, minInSync, retention } = options;
  const retentionMs = Number.isFinite(retention) ? retention : null;
  try {
    return await createKafkaTopic({ ...kafka, partitions, replicas, minInSync, retentionMs });
  } catch (error) {
    throw kafkaFailure(`The topic ${kafka.topic} cannot be made`, error, [
      'Check that the brokers run, and that there are as many as --replicas asks for.',
    ]);
  }
}

function report(io: Io, kafka: KafkaSettings, { done, facts, problems }: TopicMade): void {
  const { partitions, replicas, minInSync } = facts;
  const did = { created: 'was made', changed: 'was given these settings', nothing: 'is as it should be' }[
    done
  ];
  io.out(
    `${kafka.topic} ${did}: ${count(partitions, 'partition')}, ${count(replicas, 'replica')}, ${minInSync} in sync.\n`,
  );
  for (const { config, what } of problems) io.out(`! ${config} ${what}.\n`);
}

function parseRetention(text: string): number {
  // Commander takes `null` for a missing value.
  return text === 'forever' ? Number.POSITIVE_INFINITY : parseDuration(text) * 1000;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
