import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic } from '@tachograph/event-log';
import { CloudEvent, Kafka, type KafkaMessage } from 'cloudevents';
import kafkajs from 'kafkajs';
import type { Browser } from 'puppeteer-core';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { kcat } from '../support/kcat.ts';
import type { RawRecord } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { once } from '../support/once.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import {
  collectDurable,
  demoReady,
  drained,
  goOffline,
  openDemo,
  recordReported,
  statusOf,
  vaultReady,
  type Durable,
} from './demo-page.ts';
import { storedLeaves } from './stored-leaves.ts';

const TOPIC = 'audit.events';
const PARTITIONS = 4;
/** Headers that some records have, beside those that all have. */
const SOMETIMES = new Set(
  ['earliest', 'edge', 'pending', 'oldest', 'receipt', 'checkpoint'].map((name) => `tachograph_${name}`),
);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('from a browser that is offline to the topic of a real Kafka', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let broker: KafkaBroker;
  let server: Served;
  let browser: Browser;

  beforeAll(async () => {
    dir = await tempDir();
    broker = await startKafka({ folder: join(dir.path, 'kafka') });
    const single = { partitions: PARTITIONS, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers: [broker.address], topic: TOPIC, ...single });
    const env = { KAFKA_BROKERS: broker.address, KAFKA_TOPIC: TOPIC, KAFKA_ALLOW_UNSAFE: 'on' };
    server = await serve({ dataDir: join(dir.path, 'data'), env });
    browser = await launchChromium();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await broker?.stop();
    await dir?.remove();
  }, 60_000);

  it('holds what two tabs recorded, one of them killed, byte for byte, as kcat and a CloudEvents SDK read it (INV-01, INV-06)', async () => {
    const durable: Durable[] = [];
    await recordOverTwoTabs(durable);
    const page = await openDemo(browser, server.url);
    const recorded = await storedLeaves(page, 'demo');
    await goOffline(page, false);
    // The demo fills its cache and records what it holds; after that it records nothing by itself.
    await vaultReady(page);
    await drained(page);
    const { origin, ledger } = await statusOf(page);

    const everything = withoutRepeats(await kcat(broker.address, TOPIC));
    const sources = new Set(everything.map(({ headers }) => headers['ce_source']!));
    const of = (source: string): RawRecord[] =>
      everything.filter(({ headers }) => headers['ce_source'] === source);
    // The tenant's own log is one more device, with the same promises.
    expect(sources.size).toBe(2);
    for (const source of sources) {
      const records = of(source);
      expect(records.map(({ headers }) => Number(headers['ce_sequence']))).toEqual(records.map((_, i) => i));
      for (const record of records) expectAsSpecified(record, source);
      expectWholeAppends(records);
    }
    const own = of(origin!);
    expect(own).toHaveLength(ledger.durable);
    for (const { id, index } of durable) expect(leafOf(own[index]!)['id']).toBe(id);
    expect(recorded.size).toBeGreaterThanOrEqual(durable.length);
    for (const [index, bytes] of recorded) {
      if (!own[index]!.value.equals(bytes)) throw new Error(`entry ${index} has other bytes`);
    }
  }, 180_000);

  /** 200 events at least, offline: 100 by a tab that is reloaded, the others by one that dies. All tabs are closed. */
  async function recordOverTwoTabs(durable: Durable[]): Promise<void> {
    const first = await openDemo(browser, server.url);
    await first.waitForFunction(() => window.tachographDemo?.status().state === 'online');
    await goOffline(first, true);
    await collectDurable(first, durable);
    await recordReported(first, 100, 'first');
    const second = await openDemo(browser, server.url);
    await collectDurable(second, durable);
    const crashed = once(second, 'error');
    // Neither this call nor the one that ends the page is ever answered: the process that would answer is gone.
    void recordReported(second, 1_000, 'second').catch((error: unknown) => String(error));
    await eventually('100 events of the second tab', () => (durable.length >= 200 ? true : null));
    const devtools = await second.createCDPSession();
    void devtools.send('Page.crash').catch((error: unknown) => String(error));
    await crashed;
    await first.reload();
    await demoReady(first);
    expect((await statusOf(first)).ledger.pending).toBeGreaterThanOrEqual(200);
    await first.close();
  }
});

/** What is left when each record that repeats an earlier one exactly is dropped. */
function withoutRepeats(records: readonly RawRecord[]): RawRecord[] {
  const seen = new Map<string, RawRecord>();
  for (const record of records) {
    const id = `${record.partition}/${record.headers['ce_id']}`;
    const before = seen.get(id);
    if (before === undefined) seen.set(id, record);
    else if (!before.value.equals(record.value)) throw new Error(`${id} stands twice with other bytes`);
  }
  return [...seen.values()];
}

/** Key, partition and headers as the protocol's section on the ordered log has them, and the SDK's own reading. */
function expectAsSpecified(record: RawRecord, source: string): void {
  const { headers, key, partition, value } = record;
  const [, tenant, device] = source.split('/');
  const leaf = leafOf(record);
  const hash = createHash('sha256').update(Buffer.of(0)).update(value).digest('hex');
  const index = Number(headers['ce_sequence']);
  // One device of its line: the installation is the device itself.
  expect(key).toBe(`${tenant}/${device}`);
  expect(partition).toBe(partitionByKafkajs(key));
  const always = Object.fromEntries(Object.entries(headers).filter(([name]) => !SOMETIMES.has(name)));
  expect(always).toEqual({
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: `${device}/${index}/${hash.slice(0, 12)}`,
    ce_source: source,
    ce_tenant: tenant,
    ce_type: leaf['action'],
    ce_time: expect.stringMatching(TIME),
    ce_recordedtime: expect.stringMatching(TIME),
    ce_sequence: String(index).padStart(16, '0'),
    tachograph_device_status: 'enrolled',
    tachograph_latest: expect.stringMatching(TIME),
    tachograph_estimate: expect.stringMatching(/^(monotonic|wall|unbounded)$/),
    tachograph_lateness: expect.stringMatching(/^-?\d+$/),
  });
  const text = value.toString('utf8');
  const message: KafkaMessage = { key, value: text, headers, body: text, timestamp: '' };
  const event = Kafka.toEvent(message);
  if (Array.isArray(event)) throw new Error('one record is one event');
  // Strict: attributes are validated against the SDK's schema of the specification.
  expect(new CloudEvent({ ...event }, true).validate()).toBe(true);
  expect(event).toMatchObject({
    specversion: '1.0',
    id: headers['ce_id'],
    source,
    type: leaf['action'],
    time: headers['ce_time'],
    datacontenttype: 'application/json',
    partitionkey: key,
    tenant,
    data: leaf,
  });
}

/** The edge on the first record of each append, the checkpoint on its last, and on no other. */
function expectWholeAppends(records: readonly RawRecord[]): void {
  let size: number | null = null;
  for (const [i, { headers }] of records.entries()) {
    expect('tachograph_edge' in headers).toBe(size === null);
    if (size === null) {
      const edge = Buffer.from(headers['tachograph_edge']!, 'base64');
      expect(edge.readBigUInt64BE(0)).toBe(BigInt(i));
      expect((edge.length - 8) % 32).toBe(0);
      // What was cosigned before goes with it, so that a reader without state may begin here.
      expect('tachograph_receipt' in headers).toBe(i > 0);
      size = i;
    } else expect(headers).not.toHaveProperty('tachograph_receipt');
    const checkpoint = headers['tachograph_checkpoint'];
    if (checkpoint === undefined) continue;
    const [origin, signed] = Buffer.from(checkpoint, 'base64').toString('utf8').split('\n');
    expect([origin, Number(signed)]).toEqual([headers['ce_source'], i + 1]);
    size = null;
  }
  expect(size).toBeNull();
}

function leafOf({ value }: RawRecord): Record<string, unknown> {
  return JSON.parse(value.toString('utf8')) as Record<string, unknown>;
}

/** The partition that another implementation of murmur2 gives to a key. */
function partitionByKafkajs(key: string): number {
  const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  return kafkajs.Partitioners.DefaultPartitioner()({
    topic: TOPIC,
    partitionMetadata,
    message: { key, value: null },
  });
}
