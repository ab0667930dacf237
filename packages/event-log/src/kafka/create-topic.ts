import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import type { KafkaConnection } from './client.ts';
import { withSockets } from './explain-failure.ts';
import { firstAnswer } from './first-answer.ts';
import { Places } from './places.ts';
import {
  problemsOf,
  readTopicFacts,
  readTopicSettings,
  type TopicFacts,
  type TopicProblem,
} from './topic-settings.ts';

export type TopicOptions = KafkaConnection & {
  readonly topic: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly minInSync: number;
  /** How long events are kept; `null` for ever. */
  readonly retentionMs: number | null;
};

/** What became of the topic, and what is still wrong with it: what only a reassignment or a new topic mends. */
export type TopicMade = {
  readonly done: 'created' | 'changed' | 'nothing';
  readonly facts: TopicFacts;
  readonly problems: readonly TopicProblem[];
};

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const LOOKS_MAX = 100;
const LOOK_MS = 100;

/**
 * Makes the topic with settings that lose nothing, or gives these settings to the one that is there. The number of
 * partitions of an existing topic stays, since keys would change places, and so does its replication. Where a broker
 * fails halfway, the next one is asked to go on: what was made by then counts as there before.
 * @throws KafkaRefusedError where the brokers do not take this client, or it does not trust them
 */
export async function createKafkaTopic(options: TopicOptions): Promise<TopicMade> {
  return withSockets(options, async (sockets) => {
    const places = new Places(options.brokers);
    const made = await firstAnswer(options, sockets, places, (admin) => make(admin, options));
    sockets.close();
    return made;
  });
}

async function make(admin: Admin, options: TopicOptions): Promise<TopicMade> {
  const before = await readTopicFacts(admin, options.topic);
  const done = before === null ? await create(admin, options) : await change(admin, options);
  const facts = await settled(admin, options);
  return { done, facts, problems: problemsOf(facts) };
}

async function create(admin: Admin, options: TopicOptions): Promise<'created'> {
  const creation = admin.createTopics({
    // kafkajs waits by asking for metadata in a way that fails on a topic that has no leader yet.
    waitForLeaders: false,
    topics: [
      {
        topic: options.topic,
        numPartitions: options.partitions,
        replicationFactor: options.replicas,
        configEntries: Object.entries(wantedSettings(options)).map(([name, value]) => ({ name, value })),
      },
    ],
  });
  // Of several failures kafkajs says only that there were some; here there is one topic, so one failure.
  await creation.catch((error: unknown) => {
    throw firstOf(error);
  });
  return 'created';
}

async function change(admin: Admin, options: TopicOptions): Promise<'changed' | 'nothing'> {
  const wanted = wantedSettings(options);
  const present = await readTopicSettings(admin, options.topic);
  const differs = present.filter(
    ({ configName, configValue }) => wanted[configName] !== undefined && wanted[configName] !== configValue,
  );
  if (differs.length === 0) return 'nothing';
  // The request replaces all settings of the topic: those that it has of its own are said again.
  const own = present.filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG);
  const all = { ...Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue])), ...wanted };
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: options.topic,
        configEntries: Object.entries(all).map(([name, value]) => ({ name, value })),
      },
    ],
  });
  return 'changed';
}

function wantedSettings({ minInSync, retentionMs }: TopicOptions): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'max.message.bytes': String(MESSAGE_BYTES_MAX),
    'min.insync.replicas': String(minInSync),
    'retention.bytes': '-1',
    'retention.ms': String(retentionMs ?? -1),
    'unclean.leader.election.enable': 'false',
  };
}

/** Waits until every partition has a leader and the settings are those that were asked for. */
async function settled(admin: Admin, options: TopicOptions): Promise<TopicFacts> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const facts = await lookAt(admin, options);
    if (facts !== null) return facts;
    await delay(LOOK_MS);
  }
  throw new Error(
    `${options.topic} has not all its leaders and settings after ${(LOOKS_MAX * LOOK_MS) / 1000} s`,
  );
}

async function lookAt(admin: Admin, options: TopicOptions): Promise<TopicFacts | null> {
  const { topic } = options;
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const led = topics[0]?.partitions.every(({ leader }) => leader >= 0) ?? false;
    if (!led) return null;
    const present = new Map(
      (await readTopicSettings(admin, topic)).map(({ configName, configValue }) => [configName, configValue]),
    );
    const isAsWanted = Object.entries(wantedSettings(options)).every(
      ([name, value]) => present.get(name) === value,
    );
    return isAsWanted ? await readTopicFacts(admin, topic) : null;
  } catch (error) {
    // A topic that was made a moment ago is not known to every broker yet.
    if (/host this topic|no leader/i.test(String(error))) return null;
    throw error;
  }
}

function firstOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('errors' in error)) return error;
  return Array.isArray(error.errors) ? (error.errors[0] as unknown) : error;
}
