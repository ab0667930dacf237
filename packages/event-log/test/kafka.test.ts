import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createKafkaTopic,
  openKafkaLog,
  TopicUnfitError,
  type KafkaLog,
  type KafkaLogOptions,
  type LogRecord,
} from '@tachograph/event-log';
import { describeEventLogContract } from '../../../test/contracts/event-log.contract.ts';
import {
  allRecords,
  appendAll,
  NO_DEADLINE,
  numbered,
  RecordingHandler,
  valueText,
} from '../../../test/contracts/event-log-records.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { startKafkaStub } from '../../../test/support/kafka-stub.ts';
import { rawTopic, setTopic } from '../../../test/support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../../../test/support/kafka.ts';

let folder: string;
let broker: KafkaBroker;
let topics = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tachograph-kafka-'));
  broker = await startKafka({ folder });
}, 90_000);
afterAll(async () => {
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** A topic of its own for one test, as `tachograph topics create` makes it on a single broker. */
async function makeTopic(partitions = 2): Promise<string> {
  const topic = `audit.${++topics}`;
  await createKafkaTopic({
    brokers: [broker.address],
    topic,
    partitions,
    replicas: 1,
    minInSync: 1,
    retentionMs: null,
  });
  return topic;
}

function open(topic: string, options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
  return openKafkaLog({
    brokers: [broker.address],
    topic,
    positions: join(folder, `${topic}.sqlite`),
    allowUnsafe: true,
    leaseMs: 600,
    pollMs: 20,
    ...options,
  });
}

describeEventLogContract('the Kafka log', async () => {
  const topic = await makeTopic();
  const logs: KafkaLog[] = [];
  const reopen = async (): Promise<KafkaLog> => {
    const log = await open(topic);
    logs.push(log);
    return log;
  };
  return {
    log: await reopen(),
    reopen,
    destroy: async () => {
      for (const log of logs) await log.close();
    },
  };
});

describe('the Kafka log', () => {
  it('refuses to have two appends to a partition under way', async () => {
    const log = await open(await makeTopic());
    const first = log.append(0, numbered(3, 'first '), NO_DEADLINE());
    await expect(log.append(0, numbered(3, 'second '), NO_DEADLINE())).rejects.toThrow('has not settled');
    expect(await first).toEqual({ kind: 'appended', baseOffset: 0 });
    expect((await allRecords(log, 0)).map(valueText)).toEqual(numbered(3, 'first ').map(valueText));
    await log.close();
  });

  it('is ambiguous while the broker is away, and appends again and reads all of it when it is back', async () => {
    const topic = await makeTopic();
    const log = await open(topic);
    await appendAll(log, 0, numbered(10, 'before '));
    const [, port] = broker.address.split(':');
    await broker.stop();
    const outcome = await log.append(0, numbered(10, 'away '), AbortSignal.timeout(1_000));
    expect(outcome.kind).toBe('ambiguous');
    broker = await startKafka({ folder, port: Number(port) });
    await eventually('an append', async () => {
      const again = await log.append(0, numbered(10, 'back '), AbortSignal.timeout(5_000));
      return again.kind === 'appended' ? again : null;
    });
    const texts = (await allRecords(log, 0)).map(valueText);
    expect(texts.slice(0, 10)).toEqual(numbered(10, 'before ').map(valueText));
    // The one that went astray may have come after all; whole, and once.
    const rest = texts.slice(10).filter((text) => !text.startsWith('away '));
    expect(rest).toEqual(numbered(10, 'back ').map(valueText));
    expect([0, 10]).toContain(texts.length - 10 - rest.length);
    await log.close();
  }, 90_000);

  it('hands a reader what another process appends', async () => {
    const topic = await makeTopic();
    const [reading, appending] = [await open(topic), await open(topic)];
    const handler = new RecordingHandler();
    const end = new AbortController();
    const run = (await reading.openGroup('g')).run(handler, end.signal);
    await handler.until(() => handler.owned.size === 2);
    await appendAll(appending, 1, numbered(3));
    await handler.until(() => handler.texts(1).length === 3);
    end.abort();
    await run;
    await Promise.all([reading.close(), appending.close()]);
  });

  it('reads on from the oldest record where older ones were removed', async () => {
    const topic = await makeTopic();
    const log = await open(topic);
    await appendAll(log, 0, numbered(10));
    await rawTopic(broker.address, topic).deleteBefore(0, 4);
    expect(await log.offsets(0)).toEqual({ oldest: 4, next: 10 });
    expect((await allRecords(log, 0)).map(valueText)).toEqual(['4', '5', '6', '7', '8', '9']);
    const handler = new RecordingHandler();
    const end = new AbortController();
    const run = (await log.openGroup('g')).run(handler, end.signal);
    await handler.until(() => handler.texts(0).length === 6);
    expect(handler.positions.get(0)).toEqual([0]);
    end.abort();
    await run;
    await log.close();
  });

  it('ends a reader whose position lies beyond the end of a topic that was made anew', async () => {
    const topic = await makeTopic();
    const log = await open(topic);
    await appendAll(log, 0, numbered(10));
    const handler = new RecordingHandler();
    const end = new AbortController();
    const reader = await log.openGroup('g');
    const run = reader.run(handler, end.signal);
    await handler.until(() => handler.texts(0).length === 10);
    await reader.commit(0, 10, new Map());
    end.abort();
    await run;
    await log.close();
    await rawTopic(broker.address, topic).remove();
    topics--;
    expect(await makeTopic()).toBe(topic);
    const anew = await open(topic);
    const again = (await anew.openGroup('g')).run(new RecordingHandler(), new AbortController().signal);
    await expect(again).rejects.toThrow('partition 0 ends at 0, but was read up to 10');
    await anew.close();
  });
});

describe("the Kafka log, whose topic's max.message.bytes is lowered while it is written to,", () => {
  const MIB = 1024 * 1024;

  /** Records of 32 KiB that make an append a little longer than `mebibytes`. */
  function longerThan(mebibytes: number): LogRecord[] {
    const record = { key: 'acme/a', value: new Uint8Array(32 * 1024), headers: {} };
    return Array.from({ length: mebibytes * 32 }, () => record);
  }

  /** Sets it, and waits until the leader goes by it. */
  async function setLimit(topic: string, bytes: number): Promise<void> {
    await setTopic(broker.address, topic, { 'max.message.bytes': String(bytes) });
    await eventually('the limit', async () =>
      (await rawTopic(broker.address, topic).setting('max.message.bytes')) === String(bytes) ? true : null,
    );
  }

  it('learns the new limit by the first append that fails, and rejects by it from then on', async () => {
    const topic = await makeTopic();
    const log = await open(topic);
    await setLimit(topic, 3 * MIB);
    const failed = await log.append(0, longerThan(3), NO_DEADLINE());
    if (failed.kind !== 'ambiguous') throw new Error(`it is ${failed.kind}`);
    expect(String(failed.cause)).toBe(`Error: max.message.bytes of ${topic} is ${3 * MIB} now`);
    expect((await log.describe()).appendBytesMax).toBe(3 * MIB);
    expect(await log.append(1, longerThan(3), NO_DEADLINE())).toMatchObject({
      kind: 'rejected',
      fault: { code: 'ERR_BODY_TOO_LARGE', limit: 3 * MIB },
    });
    expect(await allRecords(log, 0)).toEqual([]);
    await appendAll(log, 0, longerThan(2));
    await log.close();
  });

  it('says that the topic is unfit while a full append does not fit, and goes on when it is mended', async () => {
    const topic = await makeTopic();
    const log = await open(topic);
    await setLimit(topic, MIB);
    const failed = await log.append(0, longerThan(1), NO_DEADLINE());
    if (failed.kind !== 'ambiguous') throw new Error(`it is ${failed.kind}`);
    expect(failed.cause).toBeInstanceOf(TopicUnfitError);
    expect(String(failed.cause)).toContain(`max.message.bytes is ${MIB}; a full append needs ${2 * MIB}`);
    await appendAll(log, 0, numbered(3));
    await setLimit(topic, 4 * MIB);
    await appendAll(log, 0, longerThan(1));
    expect(await allRecords(log, 0)).toHaveLength(3 + 32);
    await log.close();
  });
});

describe('opening the Kafka log', () => {
  it('refuses a topic that there is not', async () => {
    await expect(open('nowhere')).rejects.toThrow(new TopicUnfitError('nowhere', []));
  });

  it('refuses one broker for everything unless that is allowed', async () => {
    const topic = await makeTopic();
    const refusal = await open(topic, { allowUnsafe: false }).catch((error: unknown) => error);
    if (!(refusal instanceof TopicUnfitError)) throw new Error('it was opened');
    expect(refusal.problems.map(({ config }) => config)).toEqual(['replication', 'min.insync.replicas']);
    await (await open(topic)).close();
  });

  it.each([
    ['max.message.bytes', '1048588'],
    ['cleanup.policy', 'compact'],
    ['compression.type', 'zstd'],
  ])(
    'refuses %s = %s also where unsafe settings are allowed, until the topic is mended',
    async (name, value) => {
      const topic = await makeTopic();
      await setTopic(broker.address, topic, { [name]: value });
      await eventually('the refusal', async () => {
        const outcome = await open(topic).catch((error: unknown) => error);
        if (!(outcome instanceof Error)) {
          await (outcome as KafkaLog).close();
          return null;
        }
        expect(outcome.message).toContain(`${name} is ${value}`);
        return true;
      });
      topics--;
      expect(await makeTopic()).toBe(topic);
      await eventually('the mended topic', async () => {
        const log = await open(topic).catch(() => null);
        await log?.close();
        return log;
      });
    },
  );

  it('refuses positions that belong to another topic', async () => {
    const [one, other] = [await makeTopic(), await makeTopic()];
    const positions = join(folder, 'shared.sqlite');
    await (await open(one, { positions })).close();
    await expect(open(other, { positions })).rejects.toThrow(`its topic is ${one}, not ${other}`);
  });

  it('fails where no broker answers', async () => {
    await expect(open('audit.1', { brokers: ['127.0.0.1:1'] })).rejects.toThrow('ECONNREFUSED');
  }, 60_000);
});

describe('createKafkaTopic', () => {
  it('makes what is missing, keeps what fits, and mends what does not without touching other settings', async () => {
    const topic = `made.${Date.now()}`;
    const options = {
      brokers: [broker.address],
      topic,
      partitions: 3,
      replicas: 1,
      minInSync: 1,
      retentionMs: 864_000_000,
    };
    expect(await createKafkaTopic(options)).toMatchObject({
      done: 'created',
      facts: { partitions: 3, messageBytesMax: 4_194_304, retentionMs: 864_000_000 },
    });
    expect((await createKafkaTopic(options)).done).toBe('nothing');
    await setTopic(broker.address, topic, { 'segment.bytes': '10485760', 'max.message.bytes': '1000000' });
    const mended = await createKafkaTopic({ ...options, partitions: 9 });
    expect(mended).toMatchObject({ done: 'changed', facts: { partitions: 3, messageBytesMax: 4_194_304 } });
    expect(await rawTopic(broker.address, topic).setting('segment.bytes')).toBe('10485760');
  });

  it('goes on to the next broker where the first one is silent', async () => {
    const stub = Object.assign(await startKafkaStub('past'), { manner: 'is-silent' });
    const at = { brokers: [stub.place, broker.address], topic: 'past', partitions: 1, replicas: 1 };
    const { done } = await createKafkaTopic({ ...at, minInSync: 1, retentionMs: null });
    await stub.close();
    expect([done, stub.taken()]).toEqual(['created', 1]);
  }, 30_000);
});
