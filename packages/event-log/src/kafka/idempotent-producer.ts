import type Broker from 'kafkajs/src/broker/index.js';
import type { LogRecord } from '../record.ts';
import { offsetOf } from './kafkajs-errors.ts';
import type { Leaders } from './leaders.ts';
import { produceRequest } from './produce-request.ts';
import { RecordBatchEncoder, type BatchOrigin } from './record-batch.ts';

/** An identity that the broker gave, by which it tells a batch that it has already from a new one. */
type Identity = Pick<BatchOrigin, 'producerId' | 'producerEpoch'>;

/** Unused without transactions, but asked for. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/**
 * How long a leader waits for its replicas before it says that they did not follow. Then it is asked again with the
 * same batch; shorter than what is taken for silence, so that a leader which waits is not taken for one that is gone.
 */
const REPLICATION_TIMEOUT_MS = 4_000;

/**
 * An idempotent producer for one partition (KIP-98): a batch is sent again, the same bytes with the same sequence
 * number, until the broker answers or the retries are used up, and the broker answers what it has already with the
 * offset that it got. One `send` at a time; after one that failed nobody knows where the sequence stands, and the
 * producer is of no use any more.
 */
export class IdempotentProducer {
  readonly #leaders: Leaders;
  readonly #topic: string;
  readonly #partition: number;
  readonly #encoder = new RecordBatchEncoder();
  #identity: Identity | null = null;
  #sequence = 0;

  constructor(leaders: Leaders, topic: string, partition: number) {
    this.#leaders = leaders;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** The offset of the first of `records`, once all in-sync replicas have them. */
  async send(records: readonly LogRecord[]): Promise<number> {
    // Any broker gives one. The leader is who is needed next, and whether it was asked twice does not matter.
    const identity = (this.#identity ??= await this.#leaders.ask(this.#partition, identify));
    const origin = { ...identity, firstSequence: this.#sequence, timestamp: Date.now() };
    // Encoded once, and valid as long as this send lasts: every attempt sends the same bytes.
    const request = produceRequest({
      topic: this.#topic,
      partition: this.#partition,
      batch: this.#encoder.encode(records, origin),
      timeoutMs: REPLICATION_TIMEOUT_MS,
    });
    const offset = await this.#leaders.ask(this.#partition, async (leader) => {
      const { topics } = await leader.connectionPool.send(request);
      return offsetOf(topics[0]?.partitions[0]?.baseOffset);
    });
    // A broker that has the batch but not its offset any more. Reading tells.
    if (offset < 0) throw new Error(`the broker acknowledged partition ${this.#partition} without an offset`);
    this.#sequence = sequenceAfter(this.#sequence, records.length);
    return offset;
  }

  /** Ends the connections, and with them a send that is under way. */
  close(): void {
    this.#leaders.close();
  }
}

/** Sequence numbers are 31 bits and go on from 0: `DefaultRecordBatch.incrementSequence` of Kafka. */
export function sequenceAfter(sequence: number, records: number): number {
  return (sequence + records) % 2 ** 31;
}

async function identify(broker: Broker): Promise<Identity> {
  const made = await broker.initProducerId({ transactionTimeout: TRANSACTION_TIMEOUT_MS });
  return { producerId: BigInt(made.producerId), producerEpoch: made.producerEpoch };
}
