import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKafkaTopic, openKafkaLog, type EventLog, type KafkaLog } from '@tachograph/event-log';
import { leafHash, toHex } from '@tachograph/wire';
import kafkajs, { type Producer } from 'kafkajs';
import { Harness } from '../../packages/ingest/test/harness.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startProxiedKafka, type ProxiedKafka } from '../support/kafka-proxy/proxied-kafka.ts';
import { checkTopic, NOTHING_WRONG } from '../support/log-checker.ts';
import { tempDir } from '../support/temp-dir.ts';

let dir: Awaited<ReturnType<typeof tempDir>>;
let kafka: ProxiedKafka;
let topic: string;
let topics = 0;
beforeAll(async () => {
  dir = await tempDir();
  kafka = await startProxiedKafka(join(dir.path, 'kafka'));
}, 90_000);
afterAll(async () => {
  await kafka?.stop();
  await dir?.remove();
}, 30_000);
beforeEach(async () => {
  topic = `audit.${++topics}`;
  const single = { partitions: 1, replicas: 1, minInSync: 1, retentionMs: null };
  await createKafkaTopic({ brokers: [kafka.broker.address], topic, ...single });
});
afterEach(() => {
  kafka.proxy.heal();
  kafka.proxy.release();
});

/** The topic as it is, past the proxy. */
const readTopic = () => rawTopic(kafka.broker.address, topic).readAll();

describe('the checker, on an ingest whose log has a planted bug', () => {
  let harness: Harness;
  let log: KafkaLog;
  beforeEach(async () => {
    harness = await Harness.create();
    log = await openKafkaLog({ brokers: [kafka.address], topic, allowUnsafe: true });
  });
  afterEach(async () => {
    await harness.close();
    await log.close();
  }, 30_000);

  /** Sends five events through ingest over `over`, holds its receipt, and asks the checker. */
  async function checkedOver(over: EventLog) {
    const node = await harness.node({ log: () => over });
    await node.ingest.ready();
    const device = await harness.enrolled(node);
    device.record(5);
    const { status, body } = await node.send(device, 0);
    expect(status).toBe(200);
    expect(await harness.receiptTime(device, 5, body.receipt!)).not.toBeNull();
    await node.close();
    const verdict = checkTopic(await readTopic(), new Map([[device.origin, device.leaves]]));
    return { verdict, origin: device.origin };
  }

  it('finds nothing where no bug is planted', async () => {
    const { verdict } = await checkedOver(log);
    expect(verdict).toMatchObject({ ...NOTHING_WRONG, rawDuplicates: 0 });
  });

  it('finds what was acknowledged before it was appended, and never was', async () => {
    kafka.proxy.fail('produce', () => ({ kind: 'cut-before' }));
    const appends: Promise<unknown>[] = [];
    const hasty: EventLog = {
      ...delegate(log),
      append: async (partition, records, deadline) => {
        const { next } = await log.offsets(partition);
        appends.push(log.append(partition, records, deadline));
        return { kind: 'appended', baseOffset: next };
      },
    };
    const { verdict, origin } = await checkedOver(hasty);
    expect(await Promise.all(appends)).toMatchObject([{ kind: 'ambiguous' }]);
    expect(verdict).toMatchObject({
      ...NOTHING_WRONG,
      missing: [0, 1, 2, 3, 4].map((index) => ({ log: origin, index, offset: null })),
    });
  }, 30_000);

  it('finds a swapped pair', async () => {
    const swapping: EventLog = {
      ...delegate(log),
      append: (partition, [first, second, third, ...rest], deadline) =>
        log.append(partition, [first!, third!, second!, ...rest], deadline),
    };
    const { verdict, origin } = await checkedOver(swapping);
    expect(verdict).toMatchObject({ ...NOTHING_WRONG, reordered: [{ log: origin, index: 1, offset: 2 }] });
  });

  it('finds a lost tail', async () => {
    const forgetful: EventLog = {
      ...delegate(log),
      append: (partition, records, deadline) => log.append(partition, records.slice(0, -1), deadline),
    };
    const { verdict, origin } = await checkedOver(forgetful);
    expect(verdict).toMatchObject({ ...NOTHING_WRONG, missing: [{ log: origin, index: 4, offset: null }] });
  });
});

describe('the checker, on bare kafkajs whose first Produce response is lost', () => {
  const values = ['the first', 'the second'].map((text) => Buffer.from(text));
  let producer: Producer;
  /** `inFlight` bounds the requests that a producer has under way; `null` leaves the library's default. */
  const connect = async (inFlight: number | null) => {
    const client = new kafkajs.Kafka({
      brokers: [kafka.address],
      logLevel: kafkajs.logLevel.NOTHING,
      requestTimeout: 1_000,
      enforceRequestTimeout: true,
    });
    producer = client.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      idempotent: true,
      retry: { retries: 10, initialRetryTime: 100, maxRetryTime: 500 },
      ...(inFlight === null ? {} : { maxInFlightRequests: inFlight }),
    });
    await producer.connect();
  };
  const send = async (index: number) => {
    const messages = [{ partition: 0, ...entry(values[index]!, index) }];
    const [metadata] = await producer.send({ topic, acks: -1, messages });
    return metadata?.errorCode;
  };
  const lose = (kind: 'swallow' | 'cut-after') =>
    kafka.proxy.fail('produce', (nth) => (nth === 1 ? { kind } : undefined));
  afterEach(() => producer.disconnect());

  // A send that failed gives its sequence number back, and the other one takes it before the first is made again: the
  // broker takes that one for a repeat. A bound on requests in flight is no help.
  it.each([
    ['swallow', null],
    ['swallow', 1],
    ['cut-after', null],
  ] as const)(
    'finds the loss of one of two concurrent idempotent sends (%s, in flight %s)',
    async (kind, max) => {
      await connect(max);
      lose(kind);
      expect(await Promise.all([send(0), send(1)])).toEqual([0, 0]);
      const records = await readTopic();
      expect(records.map(({ value }) => value.toString())).toEqual(['the second', 'the second']);
      expect(checkTopic(records, new Map([['bare', values]]))).toEqual({
        ...NOTHING_WRONG,
        missing: [{ log: 'bare', index: 0, offset: null }],
        rawDuplicates: 1,
        unacknowledged: 0,
      });
    },
  );

  it('finds nothing where the second send waits for the first: the reason of the lanes', async () => {
    await connect(1);
    lose('swallow');
    expect([await send(0), await send(1)]).toEqual([0, 0]);
    expect(kafka.proxy.hits().at(-1)).toEqual({ api: 'produce', nth: 1, kind: 'swallow' });
    expect(checkTopic(await readTopic(), new Map([['bare', values]]))).toEqual({
      ...NOTHING_WRONG,
      rawDuplicates: 0,
      unacknowledged: 0,
    });
  });
});

function entry(value: Buffer, index: number) {
  const hash = toHex(leafHash(new Uint8Array(value))).slice(0, 12);
  return {
    key: 'bare',
    value,
    headers: {
      ce_id: `bare/${index}/${hash}`,
      ce_source: 'bare',
      ce_sequence: String(index).padStart(16, '0'),
    },
  };
}

function delegate(log: EventLog): EventLog {
  return {
    describe: () => log.describe(),
    append: (partition, records, deadline) => log.append(partition, records, deadline),
    offsets: (partition) => log.offsets(partition),
    readRange: (partition, from, to) => log.readRange(partition, from, to),
    openGroup: (group, options) => log.openGroup(group, options),
    close: () => log.close(),
  };
}
