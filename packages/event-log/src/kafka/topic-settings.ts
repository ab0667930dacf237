import kafkajs, { type Admin } from 'kafkajs';

/** What is so about a topic, as far as it matters here. */
export type TopicFacts = {
  readonly cluster: string;
  readonly partitions: number;
  /** Replicas of the partition that has the fewest. */
  readonly replicas: number;
  readonly minInSync: number;
  readonly messageBytesMax: number;
  /** `null` keeps for ever. */
  readonly retentionMs: number | null;
  /** Per partition; `null` is without bound. */
  readonly retentionBytes: number | null;
  readonly cleanupPolicy: string;
  readonly uncleanElection: boolean;
  readonly compression: string;
};

/** Something about a topic that loses events, or may. `fatal`: no setting allows it. */
export type TopicProblem = { readonly fatal: boolean; readonly what: string; readonly config: string };

/** An append of the protocol's largest size, with its headers, must fit into one batch. */
const MESSAGE_BYTES_MIN = 2 * 1024 * 1024;
const RETENTION_HOURS_MIN = 24;
const HOUR_MS = 3_600_000;
/** What kafkajs can read without a codec of its own. */
const READABLE_COMPRESSIONS = new Set(['producer', 'uncompressed', 'gzip']);

/** Everything that is wrong with a topic. */
export function problemsOf(facts: TopicFacts): TopicProblem[] {
  const problems: TopicProblem[] = [];
  const found = (fatal: boolean, config: string, what: string): void => {
    problems.push({ fatal, what, config });
  };
  const { messageBytesMax, cleanupPolicy, compression, replicas, minInSync, retentionMs } = facts;
  if (messageBytesMax < MESSAGE_BYTES_MIN)
    found(true, 'max.message.bytes', `is ${messageBytesMax}; a full append needs ${MESSAGE_BYTES_MIN}`);
  if (cleanupPolicy !== 'delete')
    found(true, 'cleanup.policy', `is ${cleanupPolicy}, which removes all but the newest event of a device`);
  if (!READABLE_COMPRESSIONS.has(compression))
    found(true, 'compression.type', `is ${compression}, which this client cannot read`);
  if (replicas < 2) found(false, 'replication', 'is 1: an acknowledged event is lost with its broker');
  if (minInSync < 2)
    found(false, 'min.insync.replicas', `is ${minInSync}: one broker alone may acknowledge an event`);
  if (replicas >= 2 && minInSync > replicas)
    found(true, 'min.insync.replicas', `is ${minInSync} of ${replicas} replicas: nothing can be appended`);
  if (facts.uncleanElection)
    found(
      false,
      'unclean.leader.election.enable',
      'is true: a broker that lags may drop acknowledged events',
    );
  if (retentionMs !== null && retentionMs < RETENTION_HOURS_MIN * HOUR_MS)
    found(false, 'retention.ms', `is ${retentionMs}: an exporter that stops for a day loses events`);
  if (facts.retentionBytes !== null)
    found(
      false,
      'retention.bytes',
      `is ${facts.retentionBytes}: a burst removes events before they are read`,
    );
  return problems;
}

/** Reads the facts of a topic, or answers `null` where there is none of this name. */
export async function readTopicFacts(admin: Admin, topic: string): Promise<TopicFacts | null> {
  if (!(await admin.listTopics()).includes(topic)) return null;
  const { clusterId } = await admin.describeCluster();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  const settings = await readTopicSettings(admin, topic);
  const value = (name: string): string => {
    const entry = settings.find(({ configName }) => configName === name);
    if (entry === undefined) throw new Error(`the broker does not say ${name} of ${topic}`);
    return entry.configValue;
  };
  const bound = (name: string): number | null => (Number(value(name)) < 0 ? null : Number(value(name)));
  return {
    cluster: clusterId,
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    minInSync: Number(value('min.insync.replicas')),
    messageBytesMax: Number(value('max.message.bytes')),
    retentionMs: bound('retention.ms'),
    retentionBytes: bound('retention.bytes'),
    cleanupPolicy: value('cleanup.policy'),
    uncleanElection: value('unclean.leader.election.enable') === 'true',
    compression: value('compression.type'),
  };
}

/** The settings that are in force for a topic, and where each comes from. */
export async function readTopicSettings(admin: Admin, topic: string) {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  return resources[0]?.configEntries ?? [];
}
