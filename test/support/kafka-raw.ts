import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { eventually } from './eventually.ts';

/** One record as the topic holds it, read with nothing of ours in between. */
export type RawRecord = {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

/** A topic as a stock client sees it. */
export function rawTopic(address: string, topic: string) {
  return {
    /** Removes the records of a partition before `offset`, as retention does. */
    deleteBefore: (partition: number, offset: number) =>
      administer(address, async (admin) => {
        // Nothing else lets this client learn who leads.
        await admin.fetchTopicOffsets(topic);
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
      }),
    /** Deletes the topic, and waits until the broker has heard of it from its controller. */
    remove: () =>
      administer(address, async (admin) => {
        await admin.deleteTopics({ topics: [topic] });
        await eventually(`${topic} gone`, async () =>
          (await admin.listTopics()).includes(topic) ? null : true,
        );
      }),
    setting: (name: string) =>
      administer(address, async (admin) => {
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }],
        });
        return resources[0]?.configEntries[0]?.configValue;
      }),
    /** Every record of the topic, by partition and offset. */
    readAll: () => readAll(address, topic),
  };
}

/** Sets settings of a topic; those that are not named go back to the broker's defaults. */
export async function setTopic(
  address: string,
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await administer(address, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );
}

async function administer<T>(address: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client(address).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function readAll(address: string, topic: string): Promise<RawRecord[]> {
  const ends = await administer(address, (admin) => admin.fetchTopicOffsets(topic));
  const missing = new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
  const records: RawRecord[] = [];
  const consumer = client(address).consumer({ groupId: `raw-${process.pid}-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const settleAtEnd = (): void => {
      const ended = [...missing].every(
        ([partition, high]) =>
          high === 0 ||
          records.some((record) => record.partition === partition && record.offset === high - 1),
      );
      if (ended) resolve();
    };
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const { offset, key, value, headers } of batch.messages) {
            const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)] as const);
            records.push({
              partition: batch.partition,
              offset: Number(offset),
              key: String(key),
              value: value ?? Buffer.alloc(0),
              headers: Object.fromEntries(texts),
            });
          }
          settleAtEnd();
        },
      })
      .catch(reject);
    settleAtEnd();
  });
  await consumer.disconnect();
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function client(address: string): Kafka {
  return new kafkajs.Kafka({
    brokers: [address],
    clientId: 'tachograph-test',
    logLevel: kafkajs.logLevel.NOTHING,
  });
}
