import { setTimeout as delay } from 'node:timers/promises';
import type Cluster from 'kafkajs/src/cluster/index.js';
import type { LogRecord } from '../record.ts';
import { REQUEST_TIMEOUT_MS, RETRY } from './client.ts';
import { closedConnection, isRetriable, offsetOf } from './kafkajs-errors.ts';
import { produceRequest } from './produce-request.ts';
import { RecordBatchEncoder, type BatchOrigin } from './record-batch.ts';

/** An identity that the broker gave, by which it tells a batch that it has already from a new one. */
type Identity = Pick<BatchOrigin, 'producerId' | 'producerEpoch'>;

/** Unused without transactions, but asked for. */
const TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * An idempotent producer for one partition (KIP-98) over kafkajs's connections and metadata: a batch is sent again,
 * the same bytes with the same sequence number, until the broker answers or the retries are used up, and the broker
 * answers what it has already with the offset that it got. One `send` at a time; after one that failed nobody knows
 * where the sequence stands, and the producer is of no use any more.
 */
export class IdempotentProducer {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #partition: number;
  readonly #encoder = new RecordBatchEncoder();
  #identity: Identity | null = null;
  #sequence = 0;
  #closed = false;

  constructor(cluster: Cluster, topic: string, partition: number) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** The offset of the first of `records`, once all in-sync replicas have them. */
  async send(records: readonly LogRecord[]): Promise<number> {
    const identity = (this.#identity ??= await this.#retried(() => this.#identify()));
    const origin = { ...identity, firstSequence: this.#sequence, timestamp: Date.now() };
    // Encoded once, and valid as long as this send lasts: every attempt sends the same bytes.
    const batch = this.#encoder.encode(records, origin);
    const offset = await this.#retried(() => this.#produce(batch));
    // Sequence numbers are 32 bits, and go on from 0 (KIP-98).
    this.#sequence = (this.#sequence + records.length) % 2 ** 31;
    return offset;
  }

  /** Ends the connections, and with them a send that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#cluster.disconnect();
  }

  async #identify(): Promise<Identity> {
    if (!this.#cluster.isConnected()) await this.#cluster.connect();
    await this.#cluster.addTargetTopic(this.#topic);
    const broker = await this.#cluster.findControllerBroker();
    const made = await broker.initProducerId({ transactionTimeout: TRANSACTION_TIMEOUT_MS });
    return { producerId: BigInt(made.producerId), producerEpoch: made.producerEpoch };
  }

  async #produce(batch: Buffer): Promise<number> {
    const [topic, partition] = [this.#topic, this.#partition];
    await this.#cluster.refreshMetadataIfNecessary();
    const [leader] = Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]));
    if (leader === undefined) throw new Error(`partition ${partition} of ${topic} has no leader`);
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const request = produceRequest({ topic, partition, batch, timeoutMs: REQUEST_TIMEOUT_MS });
    const { topics } = await broker.connectionPool.send(request);
    const offset = offsetOf(topics[0]?.partitions[0]?.baseOffset);
    if (offset < 0) throw new Error(`the broker acknowledged partition ${partition} without an offset`);
    return offset;
  }

  /** Tries again where a leader moved or a connection ended, a few times. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (this.#closed || attempt > RETRY.retries || !isRetriable(error)) throw error;
        await delay(Math.min(RETRY.initialRetryTime * 2 ** (attempt - 1), RETRY.maxRetryTime));
        if (this.#closed) throw error;
        // Where that fails, the next attempt meets the same obstacle and says so, unless it has gone by then.
        await this.#recover(error).catch(() => undefined);
      }
    }
  }

  /** Connects again where that is what was wrong, and asks anew who leads. */
  async #recover(error: unknown): Promise<void> {
    const lost = closedConnection(error);
    if (lost !== null) this.#cluster.removeBroker(lost);
    if (!this.#cluster.isConnected()) await this.#cluster.connect();
    await this.#cluster.refreshMetadata();
  }
}
