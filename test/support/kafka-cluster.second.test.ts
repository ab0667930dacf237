import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic, openKafkaLog } from '@tachograph/event-log';
import { NO_DEADLINE, numbered } from '../contracts/event-log-records.ts';
import { eventually } from './eventually.ts';
import { startProxiedCluster, type ProxiedCluster } from './kafka-proxy/proxied-kafka.ts';
import { rawTopic } from './kafka-raw.ts';
import { tempDir } from './temp-dir.ts';

/** Each broker leads one at first. */
const PARTITIONS = [0, 1, 2];

describe('three brokers behind a proxy', () => {
  const topic = 'audit.events';
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let kafka: ProxiedCluster;
  beforeAll(async () => {
    dir = await tempDir();
    kafka = await startProxiedCluster(join(dir.path, 'kafka'));
    const settings = { partitions: PARTITIONS.length, replicas: 3, minInSync: 2, retentionMs: null };
    await createKafkaTopic({ brokers: kafka.cluster.addresses.split(','), topic, ...settings });
  }, 120_000);
  afterAll(async () => {
    await kafka?.stop();
    await dir?.remove();
  }, 60_000);

  it('keep what they acknowledge while one is killed, and answer nothing while they are stopped', async () => {
    const log = await openKafkaLog({ brokers: kafka.address.split(','), topic });
    const acknowledged: string[] = [];
    // An append whose outcome is not known is made again: another record, as nobody here compares.
    const append = async (what: string, partition: number): Promise<void> => {
      let attempt = 0;
      await eventually(
        `an append ${what}`,
        async () => {
          const [record] = numbered(1, `${what} ${partition} ${++attempt} `);
          const outcome = await log.append(partition, [record!], NO_DEADLINE());
          if (outcome.kind !== 'appended') return null;
          acknowledged.push(Buffer.from(record!.value).toString());
          return true;
        },
        60_000,
      );
    };
    for (const partition of PARTITIONS) await append('with all', partition);
    const [victim] = kafka.cluster.brokers;
    await victim!.kill();
    // It led one of them.
    for (const partition of PARTITIONS) await append('without one', partition);
    await victim!.start();

    const { requests, responses } = kafka.proxy.counts('produce');
    for (const broker of kafka.cluster.brokers) broker.pause();
    const appending = append('while nobody answers', 0);
    await eventually('it is sent', () => (kafka.proxy.counts('produce').requests > requests ? true : null));
    expect(kafka.proxy.counts('produce').responses).toBe(responses);
    for (const broker of kafka.cluster.brokers) broker.resume();
    await appending;
    await log.close();
    expect(acknowledged).toHaveLength(7);
    const held = (await rawTopic(victim!.address, topic).readAll()).map(({ value }) => value.toString());
    expect(held).toEqual(expect.arrayContaining(acknowledged));
  }, 180_000);
});
