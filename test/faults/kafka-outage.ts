import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { forgetPeak, residentBytes } from '../support/memory.ts';
import type { Served } from '../support/serve.ts';
import { openKafkaRoad, progressOf, sendUntil, SINGLE, type KafkaRoad } from './kafka-road.ts';
import type { Sender } from './kafka-senders.ts';

const BUSY = 8;
const NEWCOMERS = 80;
const NEWCOMER_EVERY_MS = 50;
const APPEND_TIMEOUT_SECONDS = 3;
/** Beside the connections of senders: those that look for the broker. Without a bound they would be hundreds. */
const FILES_MORE_MAX = 40;
const MIB = 2 ** 20;
/** The least that can be set. */
const HELD_BYTES_MAX = 16 * MIB;
/** What the garbage collector may leave for later. */
const GARBAGE_BYTES_MAX = 16 * MIB;
const PROGRESS_MS_MAX = 60_000;

export type Outage = {
  readonly how: 'pause' | 'kill';
  readonly awayMs: number;
};

export type OutageRoad = KafkaRoad<KafkaBroker> & {
  readonly busy: readonly Sender[];
  /** Each of them sends one event, once; who has is taken out. */
  readonly newcomers: Sender[];
  readonly all: readonly Sender[];
};

export async function openOutageRoad(): Promise<OutageRoad> {
  const road = await openKafkaRoad({
    start: (folder) => startKafka({ folder }),
    addresses: ({ address }) => ({ direct: address, forServer: address }),
    topic: SINGLE,
    env: {
      APPEND_TIMEOUT_SECONDS: String(APPEND_TIMEOUT_SECONDS),
      HELD_BYTES_MAX: String(HELD_BYTES_MAX),
    },
  });
  const all = await road.enrol(BUSY + NEWCOMERS);
  return { ...road, busy: all.slice(0, BUSY), newcomers: all.slice(BUSY), all };
}

/**
 * Takes the broker away for a while in the midst of appends, and brings it back. Meanwhile whoever comes is refused
 * without waiting for the deadline, and nothing grows; afterwards everybody gets on.
 */
export async function loseBroker(road: OutageRoad, { how, awayMs }: Outage): Promise<void> {
  const { kafka: broker, server, busy } = road;
  const over = new AbortController();
  const sending = busy.map((sender) => sendUntil(over.signal, sender));
  const moved = progressOf(busy);
  await moved(PROGRESS_MS_MAX);
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
  expect(peak - bytesBefore).toBeLessThanOrEqual(HELD_BYTES_MAX + GARBAGE_BYTES_MAX);

  if (how === 'pause') broker.resume();
  else await broker.start();
  const backAt = performance.now();
  await progressOf(busy)(PROGRESS_MS_MAX);
  const seconds = ((performance.now() - backAt) / 1000).toFixed(1);
  over.abort();
  await Promise.all(sending);
  console.log(
    `${how}, away for ${awayMs / 1000} s: first refusal of a newcomer after ${first.toFixed(0)} ms, every device got on ` +
      `${seconds} s after the return, memory grew by ${((peak - bytesBefore) / MIB).toFixed(1)} MiB, ` +
      `${looks.files - filesBefore} more open files`,
  );
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
