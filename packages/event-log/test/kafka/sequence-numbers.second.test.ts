import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic } from '@tachograph/event-log';
import { numbered } from '../../../../test/contracts/event-log-records.ts';
import { startKafka, type KafkaBroker } from '../../../../test/support/kafka.ts';
import { linkMaker } from '../../src/kafka/broker-link.ts';
import { createClient } from '../../src/kafka/client.ts';
import { sequenceAfter } from '../../src/kafka/idempotent-producer.ts';
import { offsetOf } from '../../src/kafka/kafkajs-errors.ts';
import { Leaders } from '../../src/kafka/leaders.ts';
import { Places } from '../../src/kafka/places.ts';
import { produceRequest } from '../../src/kafka/produce-request.ts';
import { RecordBatchEncoder } from '../../src/kafka/record-batch.ts';
import { Sockets } from '../../src/kafka/sockets.ts';

const TOPIC = 'audit.sequences';
/** In the midst of the first batch the numbers begin anew. */
const FIRST = 2 ** 31 - 2;

describe('sequence numbers, to a real broker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tachograph-kafka-'));
  const sockets = new Sockets({});
  let broker: KafkaBroker;
  let leaders: Leaders;
  beforeAll(async () => {
    broker = await startKafka({ folder });
    const brokers = [broker.address];
    const single = { partitions: 1, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers, topic: TOPIC, ...single });
    const makeLink = linkMaker(createClient({ brokers }, sockets.factory), { brokers }, sockets);
    leaders = new Leaders(makeLink, new Places(brokers), TOPIC);
  }, 90_000);
  afterAll(async () => {
    leaders?.close();
    sockets.close();
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  it('go on from 0 after the largest, also within a batch; a batch sent again has its first offset, and a gap is refused', async () => {
    const made = await leaders.ask<{ producerId: string; producerEpoch: number }>(0, (leader) =>
      leader.initProducerId({ transactionTimeout: 60_000 }),
    );
    const producer = { producerId: BigInt(made.producerId), producerEpoch: made.producerEpoch };
    const send = async (firstSequence: number): Promise<number> => {
      const origin = { ...producer, firstSequence, timestamp: Date.now() };
      const batch = new RecordBatchEncoder().encode(numbered(5), origin);
      const request = produceRequest({ topic: TOPIC, partition: 0, batch, timeoutMs: 1_000 });
      return leaders.ask<number>(0, async (leader) => {
        const { topics } = await leader.connectionPool.send(request);
        return offsetOf(topics[0]?.partitions[0]?.baseOffset);
      });
    };
    expect(await send(FIRST)).toBe(0);
    const second = sequenceAfter(FIRST, 5);
    expect(second).toBe(3);
    expect(await send(second)).toBe(5);
    expect(await send(FIRST)).toBe(0);
    await expect(send(sequenceAfter(second, 6))).rejects.toMatchObject({
      type: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    });
    expect(await send(sequenceAfter(second, 5))).toBe(10);
  }, 30_000);
});
