import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { createKafkaTopic } from '@tachograph/event-log';
import { enrolDevice } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { checkTopic, NOTHING_WRONG } from '../support/log-checker.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { cosignerKeys, Sender } from './kafka-senders.ts';

export const TOPIC = 'audit.events';
/** A topic of one broker. */
export const SINGLE = { partitions: 4, replicas: 1, minInSync: 1 } as const;
const TENANT = 'demo';
const BATCH = 5;
const BETWEEN_MS = 10;

/** A server over Kafka, and what devices need that send to it. */
export type KafkaRoad<K> = {
  readonly kafka: K;
  readonly server: Served;
  /** Enrols so many devices. */
  readonly enrol: (count: number) => Promise<Sender[]>;
  readonly stop: () => Promise<void>;
};

type RoadOptions<K> = {
  readonly start: (folder: string) => Promise<K>;
  /** Past which proxy the topic is made, and by which way the server goes: `host:port`, with commas in between. */
  readonly addresses: (kafka: K) => { readonly direct: string; readonly forServer: string };
  readonly topic: { readonly partitions: number; readonly replicas: number; readonly minInSync: number };
  readonly env?: Readonly<Record<string, string>>;
};

export async function openKafkaRoad<K extends { readonly stop: () => Promise<void> }>(
  options: RoadOptions<K>,
): Promise<KafkaRoad<K>> {
  const dir = await tempDir();
  const kafka = await options.start(join(dir.path, 'kafka'));
  const { direct, forServer } = options.addresses(kafka);
  const settings = { ...options.topic, topic: TOPIC, retentionMs: null };
  await createKafkaTopic({ brokers: direct.split(','), ...settings });
  const unsafe = options.topic.replicas === 1 ? { KAFKA_ALLOW_UNSAFE: 'on' } : {};
  const server = await serve({
    dataDir: join(dir.path, 'data'),
    env: { KAFKA_BROKERS: forServer, KAFKA_TOPIC: TOPIC, ...unsafe, ...options.env },
  });
  return {
    kafka,
    server,
    enrol: async (count) => {
      const keys = await cosignerKeys(server);
      const senders: Sender[] = [];
      for (let i = 0; i < count; i++)
        senders.push(new Sender(server, await enrolDevice(server, TENANT), keys));
      return senders;
    },
    stop: async () => {
      await server.stop();
      await kafka.stop();
      await dir.remove();
    },
  };
}

/** Records and sends in small batches until it is over; the last batch has its receipt then. */
export async function sendUntil(over: AbortSignal, sender: Sender): Promise<void> {
  while (!over.aborted) {
    sender.device.record(BATCH);
    await sender.sendUpTo(sender.device.leaves.length);
    await delay(BETWEEN_MS);
  }
}

/** Resolves when each device has got another receipt than it has now, whose request began after now. */
export function progressOf(senders: readonly Sender[]): (withinMs: number) => Promise<void> {
  const before = senders.map(({ device }) => device.leaves.length);
  return async (withinMs) => {
    await eventually(
      'a receipt for every device',
      () => (senders.every(({ acknowledged }, i) => acknowledged > before[i]!) ? true : null),
      withinMs,
    );
  };
}

/**
 * `finished` hold receipts for all that they have recorded; and nothing that any of `all` holds a receipt for is
 * missing from the topic, doubled or out of order.
 */
export async function expectWhole(
  address: string,
  all: readonly Sender[],
  finished: readonly Sender[] = all,
): Promise<void> {
  expect(finished.map(({ acknowledged: size }) => size)).toEqual(
    finished.map(({ device }) => device.leaves.length),
  );
  const acknowledged = all.map(
    ({ device, acknowledged: size }) => [device.origin, device.leaves.slice(0, size)] as const,
  );
  const records = await rawTopic(address, TOPIC).readAll();
  const { rawDuplicates, ...found } = checkTopic(records, new Map(acknowledged));
  console.log(`${records.length} records, ${rawDuplicates} raw duplicates`);
  expect(found).toMatchObject(NOTHING_WRONG);
}
