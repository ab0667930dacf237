import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { startKafkaStub, type KafkaStub } from '../../../../test/support/kafka-stub.ts';
import { linkMaker } from '../../src/kafka/broker-link.ts';
import { createClient } from '../../src/kafka/client.ts';
import { Leaders } from '../../src/kafka/leaders.ts';
import { Places } from '../../src/kafka/places.ts';
import { Sockets } from '../../src/kafka/sockets.ts';
import { TopicReader, type Fetched } from '../../src/kafka/topic-reader.ts';

const TOPIC = 'audit.events';
const PARTITIONS = 12;
/** One for Fetch, and one for everything else. */
const PER_BROKER_MAX = 2;
const NOTHING_YET = { records: [], next: 0 };

const opened: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close();
});

/** A broker that leads every partition, and a reader of it. */
async function readerOfStub(): Promise<{ broker: KafkaStub; reader: TopicReader }> {
  const broker = await startKafkaStub(TOPIC);
  broker.leaders = Array.from({ length: PARTITIONS }, () => broker.place);
  const connection = { brokers: [broker.place] };
  const sockets = new Sockets({});
  const makeLink = linkMaker(createClient(connection, sockets.factory), connection, sockets);
  const reader = new TopicReader(new Leaders(makeLink, new Places(connection.brokers), TOPIC), TOPIC);
  opened.push(broker, { close: () => sockets.close() });
  return { broker, reader };
}

/** Every partition at the same time. */
function fetchAll(reader: TopicReader): Promise<readonly Fetched[]> {
  return Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => reader.fetch(partition, 0)));
}

describe('many who ask one broker at once', () => {
  it('share two connections, also where none was there and nobody knew who leads', async () => {
    const { broker, reader } = await readerOfStub();
    const answers = await fetchAll(reader);
    expect(answers).toEqual(answers.map(() => NOTHING_YET));
    expect(broker.taken()).toBe(PER_BROKER_MAX);
    await fetchAll(reader);
    expect(broker.taken()).toBe(PER_BROKER_MAX);
    expect(broker.open()).toHaveLength(PER_BROKER_MAX);
  });

  it('make one connection in the place of one that ended while nobody asked, and keep the other', async () => {
    const { broker, reader } = await readerOfStub();
    await fetchAll(reader);
    for (const slot of ['for everything else', 'for Fetch']) {
      const [oldest, newest] = broker.open();
      oldest!.end();
      await eventually(`the end of the one ${slot}`, () => (broker.open().length === 1 ? true : null));
      await Promise.all([reader.open(), fetchAll(reader)]);
      expect(broker.open()).toHaveLength(PER_BROKER_MAX);
      expect(broker.open()[0]).toBe(newest);
    }
    expect(broker.taken()).toBe(PER_BROKER_MAX + 2);
  });

  it('are all answered, over two new connections, where theirs end in the midst of what they ask', async () => {
    const { broker, reader } = await readerOfStub();
    await fetchAll(reader);
    broker.manner = 'is-silent';
    const answers = fetchAll(reader);
    await eventually('their requests', () => (broker.fetches() === 2 * PARTITIONS ? true : null));
    broker.manner = 'answers';
    for (const socket of broker.open()) socket.resetAndDestroy();
    expect(await answers).toEqual(Array.from({ length: PARTITIONS }, () => NOTHING_YET));
    expect(broker.taken()).toBe(2 * PER_BROKER_MAX);
  });

  it('are all told of it where it ends each connection, and do not wear it out', async () => {
    const { broker, reader } = await readerOfStub();
    broker.manner = 'ends-connections';
    const asked = Array.from({ length: PARTITIONS }, (_, partition) => reader.fetch(partition, 0));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
    // Each tries six times, and shares what comes of it with whoever tries at that time.
    expect(broker.taken()).toBeLessThanOrEqual(2 * 6);
    await eventually('the end of all of them', () => (broker.open().length === 0 ? true : null));
  }, 20_000);
});
