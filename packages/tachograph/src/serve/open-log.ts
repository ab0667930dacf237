import { openEmbeddedLog, openKafkaLog, TopicUnfitError, type EventLog } from '@tachograph/event-log';
import { CliFailure } from '../cli-failure.ts';
import type { Closers } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { openFile } from './data-folder.ts';
import { kafkaFailure } from './kafka-failure.ts';

/** Opens the ordered log: Kafka where it is named, else the file in the data folder. */
export async function openLog(
  kafka: KafkaSettings | null,
  dataDir: string,
  closers: Closers,
): Promise<EventLog> {
  const log = kafka === null ? await openEmbedded(dataDir) : await openKafka(kafka, dataFiles(dataDir));
  closers.add(() => log.close());
  return log;
}

async function openEmbedded(dataDir: string): Promise<EventLog> {
  const { log: file } = dataFiles(dataDir);
  return openFile(file, () => openEmbeddedLog({ file }));
}

/** @throws CliFailure that names the command that makes or mends the topic */
export async function openKafka(
  kafka: KafkaSettings,
  { positions }: { readonly positions?: string },
): Promise<EventLog> {
  try {
    return await openKafkaLog(positions === undefined ? kafka : { ...kafka, positions });
  } catch (error) {
    if (error instanceof TopicUnfitError) throw unfit(error);
    throw kafkaFailure(`Kafka at ${kafka.brokers.join(', ')} cannot be used`, error, [
      'Check that the brokers run and that KAFKA_BROKERS names them.',
    ]);
  }
}

function unfit(error: TopicUnfitError): CliFailure {
  const { topic, problems } = error;
  if (problems.length === 0) {
    return new CliFailure(
      `There is no topic ${topic}.`,
      [
        'Make it with `tachograph topics create`.',
        'If it was there before, it was deleted: docs/OPERATIONS.md, "A log that lost events", says what to do first.',
        'If it is there, the user of these settings may not see it: docs/OPERATIONS.md lists its rights.',
      ],
      { cause: error },
    );
  }
  const mend = problems.map(({ config, what }) => `${config} ${what}.`);
  if (problems.some(({ config }) => config !== 'replication'))
    mend.push('`tachograph topics create` sets what can be set on a topic that is there.');
  if (problems.some(({ config }) => config === 'replication'))
    mend.push("More replicas need a reassignment by Kafka's own tools.");
  if (!problems.some(({ fatal }) => fatal))
    mend.push('On a machine where losing events does no harm: KAFKA_ALLOW_UNSAFE=on.');
  return new CliFailure(`The topic ${topic} may lose events.`, mend, { cause: error });
}
