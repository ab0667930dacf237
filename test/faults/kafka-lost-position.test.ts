import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic, openKafkaLog, partitionOf, type KafkaLog } from '@tachograph/event-log';
import { startExporter, type Exporter } from '@tachograph/siem-export';
import type { NoteSigner } from '@tachograph/wire';
import { appendTo, keepingLogger } from '../../packages/siem-export/test/support/surroundings.ts';
import { ingestSigner, TestDevice } from '../../packages/siem-export/test/support/test-device.ts';
import { eventually } from '../support/eventually.ts';
import type { FeedLine } from '../support/feed.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('an exporter whose topic lost what it had not read', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let broker: KafkaBroker;
  let ingest: NoteSigner;
  let topics = 0;
  let topic: string;
  let log: KafkaLog;
  let exporter: Exporter | null = null;
  let logger: ReturnType<typeof keepingLogger>;

  beforeAll(async () => {
    dir = await tempDir();
    broker = await startKafka({ folder: join(dir.path, 'kafka') });
    ingest = await ingestSigner();
  }, 90_000);
  afterEach(async () => {
    await stop();
    await log.close();
  });
  afterAll(async () => {
    await broker?.stop();
    await dir?.remove();
  }, 60_000);

  it('tells of what retention removed: how many records, and which entries of whom, once later ones follow', async () => {
    await makeTopic();
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(5));
    start();
    await counted({ delivered: 5 });
    await stop();
    await appendTo(log, await device.appendEvents(4));
    await rawTopic(broker.address, topic).deleteBefore(partitionOf(device.key, 2), 9);
    start();
    // At once, whether or not anything follows.
    await counted({ expired: 4, delivered: 0 });
    const partition = partitionOf(device.key, 2);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        name: 'route.records_expired',
        fields: { route: 'all', partition, from: 5, to: 9 },
      }),
    );
    expect(await exporter!.metrics()).toContain('tachograph_export_expired_records_total{route="all"} 4');

    const receipt = await device.receiptAt(device.range, ingest);
    const later = await device.append([new TextEncoder().encode('{"n":9}')], { receipt });
    await appendTo(log, later);
    await counted({ expired: 4, delivered: 1, alarms: 1 });
    const gap = (await feed()).find(({ type }) => type === 'log.gap');
    expect(gap).toMatchObject({ data: { data: { from: 5, to: 9 } } });
  }, 60_000);

  it('does not read on in a topic that was made anew and has grown past its position, until it is taken back', async () => {
    await makeTopic();
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(5));
    start();
    await counted({ delivered: 5 });
    await stop();
    await rawTopic(broker.address, topic).remove();
    await createTopic();
    const partition = partitionOf(device.key, 2);
    const other = await deviceIn(partition);
    await appendTo(log, await other.appendEvents(8));
    start();
    const reason = await eventually('the route has failed', () => exporter!.status().routes[0]!.reason);
    expect(reason).toContain('holds other records than those that were read up to 5');
    expect(exporter!.status().routes[0]!.counts).toMatchObject({ delivered: 0, records: 0 });
    await stop();

    await log.rewindGroups(partition);
    start();
    await counted({ delivered: 8 });
    expect((await feed()).filter(({ source }) => source === other.origin)).toHaveLength(8);
  }, 60_000);

  async function makeTopic(): Promise<void> {
    topic = `audit.${++topics}`;
    await createTopic();
    log = await openKafkaLog({
      brokers: [broker.address],
      topic,
      positions: join(dir.path, `${topic}.sqlite`),
      allowUnsafe: true,
      leaseMs: 600,
      pollMs: 20,
    });
  }

  async function createTopic(): Promise<void> {
    const single = { partitions: 2, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers: [broker.address], topic, ...single });
  }

  function start(): void {
    logger = keepingLogger();
    exporter = startExporter({
      log,
      routes: [{ name: 'all', tenants: '*', format: 'cloudevents', sink: { type: 'file', stem: 'events' } }],
      exportDir: join(dir.path, topic),
      cosignerKeys: async () => [ingest.key],
      logger,
    });
  }

  async function stop(): Promise<void> {
    await exporter?.close();
    exporter = null;
  }

  /** Waits until the exporter has counted so much since it was started. */
  async function counted(expected: Readonly<Record<string, number>>): Promise<void> {
    await eventually(JSON.stringify(expected), () => {
      const status = exporter!.status();
      const counts: Readonly<Record<string, number>> = { ...status.feed.counts, ...status.routes[0]!.counts };
      return Object.entries(expected).every(([name, count]) => counts[name] === count) ? true : null;
    });
  }

  async function feed(): Promise<FeedLine[]> {
    const text = await readFile(join(dir.path, topic, 'events.ndjson'), 'utf8');
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as FeedLine);
  }

  /** Another device of the same partition. */
  async function deviceIn(partition: number): Promise<TestDevice> {
    for (;;) {
      const device = await TestDevice.make();
      if (partitionOf(device.key, 2) === partition) return device;
    }
  }
});
