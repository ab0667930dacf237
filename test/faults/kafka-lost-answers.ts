import { expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { readFeed, readFeedLines, type FeedLine } from '../support/feed.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startProxiedKafka, type ProxiedKafka } from '../support/kafka-proxy/proxied-kafka.ts';
import type { Fault } from '../support/kafka-proxy/proxy.ts';
import { checkTopic, NOTHING_WRONG, type Verdict } from '../support/log-checker.ts';
import { random } from '../support/random.ts';
import type { Served } from '../support/serve.ts';
import { openKafkaRoad, SINGLE, TOPIC } from './kafka-road.ts';
import type { Sender } from './kafka-senders.ts';

/** The least that can be set: how long a lane waits for an append whose response does not come. */
const APPEND_TIMEOUT_SECONDS = '1';

/** A server over Kafka, which it reaches only through the proxy. */
export type LossyRoad = {
  readonly kafka: ProxiedKafka;
  readonly server: Served;
  /** Enrols devices; resolves when nothing of that is under way any more. */
  readonly senders: (count: number) => Promise<Sender[]>;
  /** Releases what is held, waits until the brokers have answered everything, and compares topic and feed. */
  readonly verdict: (senders: readonly Sender[]) => Promise<Verdict>;
  readonly stop: () => Promise<void>;
};

export async function openLossyRoad(): Promise<LossyRoad> {
  const road = await openKafkaRoad({
    start: startProxiedKafka,
    addresses: ({ broker, address }) => ({ direct: broker.address, forServer: address }),
    topic: SINGLE,
    env: { APPEND_TIMEOUT_SECONDS },
  });
  const { kafka, server } = road;
  let enrolled = 0;
  return {
    kafka,
    server,
    senders: async (count) => {
      const senders = await road.enrol(count);
      enrolled += count;
      // The tenant's own log has said so: what is appended from now on is the devices'.
      await eventually('the enrolments in the feed', async () => {
        const said = (await readFeed(server.dataDir)).filter(({ type }) => type === 'device.enrolled');
        return said.length >= enrolled ? true : null;
      });
      return senders;
    },
    verdict: async (senders) => {
      kafka.proxy.heal();
      await eventually('every request answered', () => {
        kafka.proxy.release();
        const { requests, responses } = kafka.proxy.counts('produce');
        const unsent = kafka.proxy.hits().filter(({ kind }) => kind === 'cut-before').length;
        return kafka.proxy.held() === 0 && responses === requests - unsent ? true : null;
      });
      await expectFeed(server, senders);
      const records = await rawTopic(kafka.broker.address, TOPIC).readAll();
      return checkTopic(records, new Map(senders.map(({ device }) => [device.origin, device.leaves])));
    },
    stop: async () => {
      kafka.proxy.heal();
      kafka.proxy.release();
      await road.stop();
    },
  };
}

/** Each leaf of each device once, in order, byte for byte. */
async function expectFeed(server: Served, senders: readonly Sender[]): Promise<void> {
  for (const { device } of senders) {
    const lines = await eventually(`the feed of ${device.origin}`, async () => {
      const own = (await readFeedLines(server.dataDir)).filter(
        (line) => (JSON.parse(line) as FeedLine).source === device.origin,
      );
      return own.length >= device.leaves.length ? own : null;
    });
    // `data` is the leaf itself, the line's last member.
    const leaves = lines.map((line) => line.slice(line.indexOf('"data":') + '"data":'.length, -1));
    expect(leaves).toEqual(device.leaves.map((leaf) => Buffer.from(leaf).toString()));
  }
}

const KINDS = [
  'swallow',
  'cut-before',
  'cut-after',
  'cut-within',
  'hold-request',
  'hold-response',
  'delay',
] as const;

export type Storm = {
  readonly seed: number;
  readonly devices: number;
  readonly batches: number;
  /** How many Produce requests in a hundred meet a fault. */
  readonly percent: number;
};

/**
 * Several devices send at once, while the seed decides what happens to which Produce request. The first one is held
 * in any case until its events have come another way, so that every storm leaves raw duplicates.
 */
export async function sendThroughStorm(road: LossyRoad, storm: Storm): Promise<void> {
  const { proxy } = road.kafka;
  const next = random(storm.seed);
  const senders = await road.senders(storm.devices);
  const duplicatesBefore = (await road.verdict(senders)).rawDuplicates;
  const hitsBefore = proxy.hits().length;
  proxy.fail('produce', (nth): Fault | undefined => {
    const [chance, kind, ms] = [next(), next(), next()];
    if (nth === 1) return { kind: 'hold-request' };
    if (chance * 100 >= storm.percent) return undefined;
    return { kind: KINDS[Math.floor(kind * KINDS.length)]!, ms: ms * 1_500 };
  });
  const [first] = senders;
  first!.device.record(5);
  await first!.attempt(5);
  const sendBatches = async (sender: Sender): Promise<void> => {
    for (let batch = 0; batch < storm.batches; batch++) {
      sender.device.record(5);
      await sender.sendUpTo(sender.device.leaves.length);
      // What is held comes in the midst of what was sent after it.
      if (batch % 3 === 2 && first!.acknowledged > 0) proxy.release();
    }
  };
  await Promise.all(senders.map(sendBatches));
  const { rawDuplicates, ...found } = await road.verdict(senders);
  const repeats = rawDuplicates - duplicatesBefore;
  const hits = proxy.hits().slice(hitsBefore);
  const figures = KINDS.map((kind) => `${kind} ${hits.filter((hit) => hit.kind === kind).length}`);
  console.log(`seed ${storm.seed}: ${figures.join(', ')}; ${repeats} raw duplicates`);
  expect(found).toMatchObject(NOTHING_WRONG);
  expect(senders.map(({ acknowledged }) => acknowledged)).toEqual(
    senders.map(({ device }) => device.leaves.length),
  );
  expect(hits.length).toBeGreaterThan(1);
  expect(repeats).toBeGreaterThan(0);
}
