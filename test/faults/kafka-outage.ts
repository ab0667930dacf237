import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { createKafkaTopic } from '@tachograph/event-log';
import { enrolDevice } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { checkTopic, NOTHING_WRONG } from '../support/log-checker.ts';
import { forgetPeak, residentBytes } from '../support/memory.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { cosignerKeys, Sender } from './kafka-senders.ts';

const TOPIC = 'audit.events';
const TENANT = 'demo';
const BUSY = 8;
const NEWCOMERS = 80;
const NEWCOMER_EVERY_MS = 50;
const BATCH = 5;
const BETWEEN_MS = 10;
const APPEND_TIMEOUT_SECONDS = 3;
/** Beside the connections of senders: those that look for the broker. Without a bound they would be hundreds. */
const FILES_MORE_MAX = 40;

export type Outage = {
  readonly how: 'pause' | 'kill';
  readonly awayMs: number;
};

export type OutageRoad = {
  readonly broker: KafkaBroker;
  readonly server: Served;
  readonly busy: readonly Sender[];
  /** Each of them sends one event, once; who has is taken out. */
  readonly newcomers: Sender[];
  readonly all: readonly Sender[];
  readonly stop: () => Promise<void>;
};

export async function openOutageRoad(): Promise<OutageRoad> {
  const dir = await tempDir();
  const broker = await startKafka({ folder: join(dir.path, 'kafka') });
  const single = { partitions: 4, replicas: 1, minInSync: 1, retentionMs: null };
  await createKafkaTopic({ brokers: [broker.address], topic: TOPIC, ...single });
  const server = await serve({
    dataDir: join(dir.path, 'data'),
    env: {
      KAFKA_BROKERS: broker.address,
      KAFKA_TOPIC: TOPIC,
      KAFKA_ALLOW_UNSAFE: 'on',
      APPEND_TIMEOUT_SECONDS: String(APPEND_TIMEOUT_SECONDS),
    },
  });
  const keys = await cosignerKeys(server);
  const senders: Sender[] = [];
  for (let i = 0; i < BUSY + NEWCOMERS; i++)
    senders.push(new Sender(server, await enrolDevice(server, TENANT), keys));
  return {
    broker,
    server,
    busy: senders.slice(0, BUSY),
    newcomers: senders.slice(BUSY),
    all: senders,
    stop: async () => {
      await server.stop();
      await broker.stop();
      await dir.remove();
    },
  };
}

/**
 * Takes the broker away for a while in the midst of appends, and brings it back. Meanwhile whoever comes is refused
 * without waiting for the deadline, and nothing grows; afterwards everybody gets on.
 */
export async function loseBroker(road: OutageRoad, { how, awayMs }: Outage): Promise<void> {
  const { broker, server, busy } = road;
  const over = new AbortController();
  const sending = busy.map((sender) => sendUntil(over.signal, sender));
  const moved = progressOf(busy);
  await moved();
  const filesBefore = await openFiles(server);
  await forgetPeak(server.pid);
  const { now: bytesBefore } = await residentBytes(server.pid);

  if (how === 'pause') broker.pause();
  else await broker.kill();
  const goneAt = performance.now();
  const first = await firstRefusal(road);
  const looks = { files: 0 };
  while (performance.now() - goneAt < awayMs) {
    looks.files = Math.max(looks.files, await openFiles(server));
    await delay(100);
  }
  const { peak } = await residentBytes(server.pid);
  expect(looks.files - filesBefore).toBeLessThanOrEqual(FILES_MORE_MAX);

  if (how === 'pause') broker.resume();
  else await broker.start();
  const backAt = performance.now();
  await progressOf(busy)();
  const seconds = ((performance.now() - backAt) / 1000).toFixed(1);
  over.abort();
  await Promise.all(sending);
  console.log(
    `${how}, away for ${awayMs / 1000} s: first refusal of a newcomer after ${first.toFixed(0)} ms, every device got on ` +
      `${seconds} s after the return, memory grew by ${((peak - bytesBefore) / 2 ** 20).toFixed(1)} MiB, ` +
      `${looks.files - filesBefore} more open files`,
  );
}

/** Nothing that anybody holds a receipt for is missing from the topic, doubled or out of order. */
export async function expectWhole({ broker, busy, all }: OutageRoad): Promise<void> {
  const acknowledged = all.map(
    ({ device, acknowledged: size }) => [device.origin, device.leaves.slice(0, size)] as const,
  );
  expect(busy.map(({ acknowledged: size }) => size)).toEqual(busy.map(({ device }) => device.leaves.length));
  const found = checkTopic(await rawTopic(broker.address, TOPIC).readAll(), new Map(acknowledged));
  expect(found).toMatchObject(NOTHING_WRONG);
}

async function sendUntil(over: AbortSignal, sender: Sender): Promise<void> {
  while (!over.aborted) {
    sender.device.record(BATCH);
    await sender.sendUpTo(sender.device.leaves.length);
    await delay(BETWEEN_MS);
  }
}

/** Sees to it that each of `senders` gets another receipt from now on. */
function progressOf(senders: readonly Sender[]): () => Promise<void> {
  const before = senders.map(({ acknowledged }) => acknowledged);
  return async () => {
    await eventually(
      'a receipt for every device',
      () => (senders.every(({ acknowledged }, i) => acknowledged > before[i]!) ? true : null),
      60_000,
    );
  };
}

/** Milliseconds until one of those who come now is told to come later. None of them has sent anything before. */
async function firstRefusal({ newcomers, server }: OutageRoad): Promise<number> {
  const startedAt = performance.now();
  const refusals: number[] = [];
  const sendOne = async (sender: Sender): Promise<void> => {
    sender.device.record(1);
    const { status, headers, body } = await sender.attempt(1);
    if (status !== 503) return;
    expect([headers.get('retry-after'), body['retryAfterSeconds']]).toEqual(['2', 2]);
    refusals.push(performance.now() - startedAt);
  };
  const sent: Promise<void>[] = [];
  while (refusals.length === 0) {
    const sender = newcomers.shift();
    if (sender === undefined) throw new Error(`nobody was refused at ${server.url}`);
    sent.push(sendOne(sender));
    await delay(NEWCOMER_EVERY_MS);
  }
  // Before an append is given up, and so before anybody who waits for it is told.
  expect(refusals[0]).toBeLessThan(APPEND_TIMEOUT_SECONDS * 1000);
  await Promise.all(sent);
  return refusals[0]!;
}

async function openFiles({ pid }: Served): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
