import kafkajs, { type Admin } from 'kafkajs';

const REQUEST_TIMEOUT_MS = 1_000;

/** Brokers by their node ids, as the cluster says it. */
export type PartitionState = {
  /** -1 where nobody leads, or the brokers do not say. */
  readonly leader: number;
  readonly replicas: readonly number[];
  /** Those that have to have an append before it is acknowledged, the leader among them. */
  readonly inSync: readonly number[];
};

/** The state of each partition, in their order. */
export async function partitionsOf(addresses: string, topic: string): Promise<PartitionState[]> {
  return administer(addresses, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]?.partitions ?? [];
    return partitions
      .toSorted((a, b) => a.partitionId - b.partitionId)
      .map(({ leader, partitionErrorCode, replicas, isr }) => ({
        leader: partitionErrorCode === 0 ? leader : -1,
        replicas,
        inSync: isr,
      }));
  });
}

/** Who leads each partition, by node id; -1 where nobody does, or the brokers do not say. */
export async function leadersOf(addresses: string, topic: string): Promise<number[]> {
  return (await partitionsOf(addresses, topic)).map(({ leader }) => leader);
}

/** Gives every partition these replicas; one that leads and is not among them stops leading. */
export async function moveReplicas(
  addresses: string,
  topic: string,
  partitions: number,
  replicas: number[],
): Promise<void> {
  const partitionAssignment = Array.from({ length: partitions }, (_, partition) => ({ partition, replicas }));
  await administer(addresses, (admin) =>
    admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] }),
  );
}

export type Right = 'READ' | 'WRITE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS';

/** Gives a user rights on a topic. */
export async function allow(
  addresses: string,
  topic: string,
  user: string,
  rights: readonly Right[],
): Promise<void> {
  const acl = rights.map((right) => ruleOf(topic, user, right));
  await administer(addresses, (admin) => admin.createAcls({ acl }));
}

/** Takes a right away again. */
export async function forbid(addresses: string, topic: string, user: string, right: Right): Promise<void> {
  const filters = [ruleOf(topic, user, right)];
  await administer(addresses, (admin) => admin.deleteAcls({ filters }));
}

function ruleOf(topic: string, user: string, right: Right) {
  return {
    resourceType: kafkajs.AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: kafkajs.AclOperationTypes[right],
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  };
}

async function administer<T>(addresses: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new kafkajs.Kafka({
    brokers: addresses.split(','),
    clientId: 'tachograph-test',
    logLevel: kafkajs.logLevel.NOTHING,
    // A broker that is stopped is among those that may be asked.
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 2, initialRetryTime: 50 },
  }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
