import { afterEach, describe, expect, it } from '@jest/globals';
import { NO_DEADLINE, numbered } from '../../../../test/contracts/event-log-records.ts';
import { startKafkaStub, type KafkaStub } from '../../../../test/support/kafka-stub.ts';
import { linkMaker, SILENCE_MS_MAX } from '../../src/kafka/broker-link.ts';
import { createClient } from '../../src/kafka/client.ts';
import { IdempotentProducer, sequenceAfter } from '../../src/kafka/idempotent-producer.ts';
import { Leaders } from '../../src/kafka/leaders.ts';
import { PartitionWriter } from '../../src/kafka/partition-writer.ts';
import { Places } from '../../src/kafka/places.ts';
import { Sockets } from '../../src/kafka/sockets.ts';

const TOPIC = 'audit.events';
/** More than what an attempt that fails waits, less than what is taken for silence. */
const QUICK_MS = 3_000;
const FIRST_SEQUENCE = 53;

const opened: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close();
});

async function stub(): Promise<KafkaStub> {
  const started = await startKafkaStub(TOPIC);
  opened.push(started);
  return started;
}

/** Producers that know of each other what one log's do. */
function producers(...stubs: readonly KafkaStub[]): (partition: number) => IdempotentProducer {
  const connection = { brokers: stubs.map(({ place }) => place) };
  const sockets = new Sockets({});
  opened.push({ close: () => sockets.close() });
  const places = new Places(connection.brokers);
  const makeLink = linkMaker(createClient(connection, sockets.factory), connection, sockets);
  return (partition) => new IdempotentProducer(new Leaders(makeLink, places, TOPIC), TOPIC, partition);
}

function sequences({ batches }: KafkaStub): number[] {
  return batches.map((batch) => batch.readInt32BE(FIRST_SEQUENCE));
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

describe('a batch that the broker does not take', () => {
  it.each([
    ['CORRUPT_MESSAGE', 2],
    ['UNKNOWN_TOPIC_OR_PARTITION', 3],
    ['LEADER_NOT_AVAILABLE', 5],
    ['NOT_LEADER_OR_FOLLOWER', 6],
    ['REQUEST_TIMED_OUT', 7],
    ['NOT_ENOUGH_REPLICAS', 19],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20],
    ['KAFKA_STORAGE_ERROR', 56],
  ])('is sent again, the same bytes, after %s', async (_, code) => {
    const broker = await stub();
    broker.answers.push({ code }, { code });
    const producer = producers(broker)(0);
    expect(await producer.send(numbered(3))).toBe(7);
    expect(broker.batches).toHaveLength(3);
    expect(broker.batches[1]).toEqual(broker.batches[0]);
    expect(broker.batches[2]).toEqual(broker.batches[0]);
    await producer.send(numbered(1));
    expect(sequences(broker)).toEqual([0, 0, 0, 3]);
  });

  it.each([
    ['UNKNOWN_SERVER_ERROR', -1],
    ['MESSAGE_TOO_LARGE', 10],
    ['TOPIC_AUTHORIZATION_FAILED', 29],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 45],
    ['DUPLICATE_SEQUENCE_NUMBER', 46],
    ['INVALID_PRODUCER_EPOCH', 47],
    ['UNKNOWN_PRODUCER_ID', 59],
    ['INVALID_RECORD', 87],
    ['a code that nobody knows', 9_999],
  ])('is not sent again after %s, and its outcome is not known', async (_, code) => {
    const broker = await stub();
    broker.answers.push({ code });
    const makeProducer = producers(broker);
    const writer = new PartitionWriter(makeProducer, 0);
    expect(await writer.append(numbered(3), NO_DEADLINE())).toMatchObject({ kind: 'ambiguous' });
    expect(broker.batches).toHaveLength(1);
    // The next append is by a producer that begins anew.
    expect(await writer.append(numbered(2), NO_DEADLINE())).toEqual({ kind: 'appended', baseOffset: 7 });
    expect(sequences(broker)).toEqual([0, 0]);
    await writer.close();
  });

  it('is of unknown outcome where the broker acknowledges it without an offset, as old ones do', async () => {
    const broker = await stub();
    broker.answers.push({ code: 0, baseOffset: -1n });
    await expect(producers(broker)(0).send(numbered(3))).rejects.toThrow('without an offset');
    expect(broker.batches).toHaveLength(1);
  });

  it('goes to the new leader, the same bytes, where the leader moved', async () => {
    const [old, next] = [await stub(), await stub()];
    const producer = producers(old, next)(0);
    await producer.send(numbered(3));
    old.answers.push({ code: 6 });
    old.leaders = next.leaders;
    await producer.send(numbered(2, 'next '));
    expect(next.batches).toEqual([old.batches[1]]);
    expect(sequences(next)).toEqual([3]);
  });
});

describe('a broker that something is wrong with', () => {
  it('that is silent costs one time-out, and nobody asks it first again', async () => {
    const [silent, good] = [await stub(), await stub()];
    silent.manner = 'is-silent';
    const makeProducer = producers(silent, good);
    const first = await msOf(() => makeProducer(0).send(numbered(1)));
    expect(first).toBeGreaterThanOrEqual(SILENCE_MS_MAX - 500);
    expect(first).toBeLessThan(SILENCE_MS_MAX + QUICK_MS);
    const taken = silent.taken();
    expect(await msOf(() => makeProducer(0).send(numbered(1)))).toBeLessThan(QUICK_MS);
    expect(silent.taken()).toBe(taken);
  }, 20_000);

  it('that is silent for longer than an append may take is not asked first by the next append', async () => {
    const [silent, good] = [await stub(), await stub()];
    silent.manner = 'is-silent';
    const writer = new PartitionWriter(producers(silent, good), 0);
    const deadline = AbortSignal.timeout(300);
    expect(await writer.append(numbered(1), deadline)).toMatchObject({ kind: 'ambiguous' });
    const next = msOf(async () =>
      expect(await writer.append(numbered(1), NO_DEADLINE())).toMatchObject({ kind: 'appended' }),
    );
    expect(await next).toBeLessThan(QUICK_MS);
    await writer.close();
  });

  it('that takes connections and ends them holds nobody up', async () => {
    const [ending, good] = [await stub(), await stub()];
    ending.manner = 'ends-connections';
    expect(await msOf(() => producers(ending, good)(0).send(numbered(1)))).toBeLessThan(QUICK_MS);
    expect(ending.taken()).toBe(1);
  });

  it('that leads fails the append, and is let go once another one leads', async () => {
    const [leader, good] = [await stub(), await stub()];
    good.leaders = leader.leaders;
    const producer = producers(good, leader)(0);
    await producer.send(numbered(1));
    leader.manner = 'ends-connections';
    await expect(producer.send(numbered(1))).rejects.toThrow();
    good.leaders = [good.place];
    const next = producers(good, leader)(0);
    expect(await next.send(numbered(1))).toBe(7);
    expect(good.batches).toHaveLength(1);
  }, 20_000);

  it('and is found through others is found also where the settings name only one that has gone', async () => {
    const [named, other] = [await stub(), await stub()];
    named.leaders = other.leaders;
    const makeProducer = producers(named);
    await makeProducer(0).send(numbered(1));
    named.manner = 'ends-connections';
    expect(await makeProducer(0).send(numbered(1))).toBe(7);
    expect(other.batches).toHaveLength(2);
  });

  it('and leads nothing leaves the other partitions their leaders', async () => {
    const broker = await stub();
    broker.leaders = [null, broker.place];
    const makeProducer = producers(broker);
    expect(await makeProducer(1).send(numbered(1))).toBe(7);
    await expect(makeProducer(0).send(numbered(1))).rejects.toThrow('has no leader');
  }, 20_000);
});

describe('sequenceAfter', () => {
  it('goes on from 0 after the largest number of 31 bits, as Kafka does', () => {
    expect(sequenceAfter(0, 3)).toBe(3);
    expect(sequenceAfter(2 ** 31 - 2, 1)).toBe(2 ** 31 - 1);
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0);
    expect(sequenceAfter(2 ** 31 - 2, 5)).toBe(3);
  });
});
