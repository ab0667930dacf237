import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic, openSqlite } from '@tachograph/event-log';
import kafkajs from 'kafkajs';
import { cli } from '../support/cli.ts';
import { enrolDevice, sendLeaves, type TestDevice } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { feedOf, readFeed } from '../support/feed.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const PARTITIONS = 2;

/** How far the groups have read, as the file of positions has it. */
/** The files of the positions, as they stand: a server that was ended while it started leaves the write-ahead log. */
type Positions = ReadonlyMap<string, Buffer>;

async function readPositions(dataDir: string): Promise<Positions> {
  const names = (await readdir(dataDir)).filter((name) => /^positions\.sqlite(-wal)?$/.test(name));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(dataDir, name))] as const)),
  );
}

async function setPositions(dataDir: string, files: Positions): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await rm(join(dataDir, `positions.sqlite${end}`), { force: true });
  for (const [name, bytes] of files) await writeFile(join(dataDir, name), bytes);
}

/** Read from a copy: a connection of this process to the file itself would outlive the file that takes its place. */
async function positionsOf(dataDir: string): Promise<unknown[]> {
  const copy = await tempDir();
  await setPositions(copy.path, await readPositions(dataDir));
  const db = openSqlite(join(copy.path, 'positions.sqlite'));
  try {
    return db.prepare('SELECT name, partition, position FROM group_partition ORDER BY name, partition').all();
  } finally {
    db.close();
    await copy.remove();
  }
}

describe('a topic that does not hold any more what was acknowledged', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let broker: KafkaBroker;
  let server: Served | null = null;
  let topics = 0;

  beforeAll(async () => {
    dir = await tempDir();
    broker = await startKafka({ folder: join(dir.path, 'kafka') });
  }, 90_000);
  afterEach(async () => {
    await server?.stop();
    server = null;
  }, 30_000);
  afterAll(async () => {
    await broker?.stop();
    await dir?.remove();
  }, 60_000);

  it('is noticed while the server is idle, named, and cosigned no more, deleted as well as made anew (INV-06)', async () => {
    const { topic, env } = await makeTopic();
    server = await serve({ dataDir: env.DATA_DIR, env });
    const device = await enrolledWith(server, 20);
    await rawTopic(broker.address, topic).remove();
    await stopped(server, /there is no topic/);
    await createTopic(topic);
    await stopped(server, /ends at 0, but was settled up to/);

    device.record(5);
    expect(await sendLeaves(server, device, 20)).toMatchObject(TRUNCATED);
    // Also a check-in gets no new receipt.
    expect((await sendLeaves(server, device, 25)).status).toBe(503);
    const lost = { origin: device.origin, from: 0, to: 20 };
    await eventually('the device is named in the log', () =>
      logged(server!, 'log.entries_lost').some((line) => matches(line, lost)) ? true : null,
    );
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/tachograph_lane_losses_total\{partition="\d"\} 1/);
    expect(metrics).toMatch(/tachograph_lane_lost_events\{partition="\d"\} 2\d/);
  }, 90_000);

  it('is noticed at the start also where it has grown past what was settled, and an operator can go on without it', async () => {
    const { topic, env } = await makeTopic();
    server = await serve({ dataDir: env.DATA_DIR, env });
    const { port } = server;
    const device = await enrolledWith(server, 20);
    await feedOf(env.DATA_DIR, device.origin, 20);
    await server.stop();
    await rawTopic(broker.address, topic).remove();
    await createTopic(topic);
    await fill(topic, 60);
    server = await serve({ dataDir: env.DATA_DIR, env, port, until: 'live' });
    await stopped(server, /holds other records than those that were settled/);
    expect(await sendLeaves(server, device, 20)).toMatchObject(TRUNCATED);
    await server.stop();

    const stale = await readPositions(env.DATA_DIR);
    const row = new RegExp(`demo +${device.device} +0 +19 +20`);
    const doctor = await cli(['doctor'], env);
    expect(doctor).toMatchObject({ code: 1, output: expect.stringContaining('ERR_LOG_TRUNCATED') });
    expect(doctor.output).toContain(`${device.origin}: entries 0 to 19 are lost`);
    expect(await cli(['log', 'lost'], env)).toMatchObject({ code: 0, output: expect.stringMatching(row) });
    expect(await cli(['log', 'accept-loss'], env)).toMatchObject({ code: 1 });
    expect(await cli(['log', 'accept-loss', '--yes'], env)).toMatchObject({ code: 0 });
    expect(await cli(['log', 'lost'], env)).toMatchObject({ output: expect.stringContaining('everything') });
    // A host that only exports has its positions for itself, and one whose command was interrupted has its old ones.
    const fresh = await positionsOf(env.DATA_DIR);
    for (const again of ['accept-loss', 'rewind']) {
      await setPositions(env.DATA_DIR, stale);
      expect(await positionsOf(env.DATA_DIR)).not.toEqual(fresh);
      expect(await cli(['log', again, '--yes'], env)).toMatchObject({ code: 0 });
      expect(await positionsOf(env.DATA_DIR)).toEqual(fresh);
    }

    server = await serve({ dataDir: env.DATA_DIR, env, port });
    device.record(5);
    expect(await sendLeaves(server, device, 20)).toMatchObject({ status: 200 });
    const lines = await feedOf(env.DATA_DIR, device.origin, 25);
    expect(lines.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 25 }, (_, i) => i));
    const facts = (await readFeed(env.DATA_DIR)).filter(({ type }) => type === 'server.lost');
    const reported = facts.map(({ data }) => data?.data);
    expect(reported).toContainEqual(expect.objectContaining({ origin: device.origin, from: 0, to: 20 }));
  }, 120_000);

  it('is noticed when the broker comes back with an older copy of its folder, and what is missing is named exactly', async () => {
    const { env } = await makeTopic();
    server = await serve({ dataDir: env.DATA_DIR, env });
    const device = await enrolledWith(server, 10);
    const folder = join(dir.path, 'kafka');
    await broker.stop();
    await cp(folder, join(dir.path, 'copy'), { recursive: true });
    await broker.start();
    device.record(15);
    await eventually('an append', async () =>
      (await sendLeaves(server!, device, 10)).status === 200 ? true : null,
    );
    await broker.stop();
    await rm(join(folder, 'data'), { recursive: true });
    await cp(join(dir.path, 'copy', 'data'), join(folder, 'data'), { recursive: true });
    await broker.start();

    await stopped(server, /but was settled up to/);
    device.record(1);
    expect(await sendLeaves(server, device, 25)).toMatchObject(TRUNCATED);
    const lost = { origin: device.origin, from: 10, to: 25 };
    await eventually('the device is named in the log', () =>
      logged(server!, 'log.entries_lost').some((line) => matches(line, lost)) ? true : null,
    );
    expect(logged(server, 'log.entries_lost')).toHaveLength(1);
  }, 120_000);

  async function makeTopic() {
    const topic = `audit.${++topics}`;
    await createTopic(topic);
    const env = {
      DATA_DIR: join(dir.path, topic),
      KAFKA_BROKERS: broker.address,
      KAFKA_TOPIC: topic,
      KAFKA_ALLOW_UNSAFE: 'on',
    };
    return { topic, env };
  }

  async function createTopic(topic: string): Promise<void> {
    const single = { partitions: PARTITIONS, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers: [broker.address], topic, ...single });
  }

  /** Puts records into every partition that nobody of ours has written. */
  async function fill(topic: string, count: number): Promise<void> {
    const client = new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
    const producer = client.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const messages = Array.from({ length: count * PARTITIONS }, (_, n) => ({
      partition: n % PARTITIONS,
      key: 'another',
      value: String(n),
    }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  }
});

const TRUNCATED = { status: 503, body: { code: 'ERR_LOG_TRUNCATED' } };

/** A device whose first `count` entries are acknowledged. */
async function enrolledWith(server: Served, count: number): Promise<TestDevice> {
  const device = await enrolDevice(server, 'demo');
  device.record(count);
  expect((await sendLeaves(server, device, 0)).status).toBe(200);
  return device;
}

/** Waits until the server says that it is not ready, and why. */
async function stopped(server: Served, why: RegExp): Promise<void> {
  await eventually(`not ready, because ${String(why)}`, async () => {
    const answer = await fetch(`${server.url}/readyz`);
    const { code, detail } = (await answer.json()) as { code?: string; detail?: string };
    return answer.status === 503 && code === 'ERR_LOG_TRUNCATED' && why.test(detail ?? '') ? true : null;
  });
}

type LogLine = Readonly<Record<string, unknown>>;

function logged(server: Served, event: string): LogLine[] {
  const lines = server.output().split('\n');
  const parsed = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
  return parsed.filter((line) => line['event'] === event);
}

function matches(line: LogLine, expected: LogLine): boolean {
  return Object.entries(expected).every(([name, value]) => line[name] === value);
}
