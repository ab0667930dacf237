import { setTimeout as delay } from 'node:timers/promises';
import type { ISocketFactory, Kafka } from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import { LogMissingError, LogReplacedError } from '../port.ts';
import type { StoredRecord } from '../record.ts';
import {
  clientIdOf,
  CONNECTION_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  RETRY,
  type KafkaConnection,
} from './client.ts';
import { saslOptions } from './security.ts';
import { storedRecord } from './stored-record.ts';

/** What a fetch answers at most, except that it always answers one whole append where there is one. */
const FETCH_BYTES_MAX = 1024 * 1024;
const METADATA_AGE_MS_MAX = 30_000;
const READ_UNCOMMITTED = 0;
/** "Not a replica": a consumer, which sees only what all in-sync replicas have. */
const CONSUMER = -1;

/** What one fetch found: the records, and the offset to go on from. */
export type Fetched = { readonly records: readonly StoredRecord[]; readonly next: number };

/**
 * Reads partitions of one topic from offsets that the caller names, without a consumer group: kafkajs cannot assign
 * partitions by hand, and a group costs a rebalance for each read (three seconds by the brokers' default), keeps an
 * offset of its own and starts over at that where it sees fit. So this asks the leaders itself, by the layer below.
 */
export class TopicReader {
  readonly #cluster: Cluster;
  readonly #topic: string;
  #recovering: Promise<void> | null = null;

  constructor(client: Kafka, connection: KafkaConnection, socketFactory: ISocketFactory, topic: string) {
    this.#topic = topic;
    this.#cluster = new Cluster({
      logger: client.logger(),
      socketFactory,
      ...(connection.sasl === undefined ? {} : { sasl: saslOptions(connection.sasl) }),
      brokers: [...connection.brokers],
      clientId: clientIdOf(connection),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      metadataMaxAge: METADATA_AGE_MS_MAX,
      // Each call is tried again here; were it also tried again below, the waits would multiply, and a broker that
      // is back would be found half a minute late.
      retry: { ...RETRY, retries: 1 },
      allowAutoTopicCreation: false,
      isolationLevel: READ_UNCOMMITTED,
    });
  }

  async open(): Promise<void> {
    await this.#cluster.connect();
    await this.#cluster.addTargetTopic(this.#topic);
  }

  /** The oldest offset that can be read, and the one after the newest record that all in-sync replicas have. */
  offsets(partition: number): Promise<{ readonly oldest: number; readonly next: number }> {
    return this.#retried(async () => {
      const end = async (fromBeginning: boolean): Promise<number> => {
        const found = await this.#cluster.fetchTopicsOffset([
          { topic: this.#topic, partitions: [{ partition }], fromBeginning },
        ]);
        return offsetOf(found[0]?.partitions[0]?.offset);
      };
      // The older end first: it only moves towards the newer one.
      const oldest = await end(true);
      return { oldest, next: await end(false) };
    });
  }

  /**
   * What there is from `from` on, in a batch of bounded size; nothing at the partition's end.
   * @throws LogReplacedError where the partition ends before `from`; LogMissingError where the topic was deleted
   */
  async fetch(partition: number, from: number): Promise<Fetched> {
    try {
      return await this.#retried(() => this.#fetch(partition, from));
    } catch (error) {
      if (errorType(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
      const { oldest, next } = await this.offsets(partition);
      if (from > next) throw new LogReplacedError(partition, `ends at ${next}, but was read up to ${from}`);
      // Older records were removed by retention; the reader's filter says what that means.
      return { records: [], next: Math.max(oldest, from) };
    }
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect();
  }

  async #fetch(partition: number, from: number): Promise<Fetched> {
    await this.#cluster.refreshMetadataIfNecessary();
    const [leader] = Object.keys(this.#cluster.findLeaderForPartitions(this.#topic, [partition]));
    if (leader === undefined) throw new Error(`partition ${partition} of ${this.#topic} has no leader`);
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const { responses } = await broker.fetch({
      replicaId: CONSUMER,
      isolationLevel: READ_UNCOMMITTED,
      // A broker answers a connection's requests one after the other: a fetch that waits would hold up the others.
      maxWaitTime: 0,
      minBytes: 1,
      maxBytes: FETCH_BYTES_MAX,
      topics: [
        {
          topic: this.#topic,
          partitions: [{ partition, fetchOffset: String(from), maxBytes: FETCH_BYTES_MAX }],
        },
      ],
    });
    const messages = responses[0]?.partitions[0]?.messages ?? [];
    const last = messages.at(-1);
    if (last === undefined) return { records: [], next: from };
    const records = messages
      // The batch that holds `from` may begin before it.
      .filter((message) => !message.isControlRecord && Number(message.offset) >= from)
      .map((message) => storedRecord(message, partition));
    return { records, next: Math.max(from, offsetOf(last.offset) + 1) };
  }

  /** Tries again where a leader moved or a connection ended, a few times. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const type = errorType(error);
        if (type === 'OFFSET_OUT_OF_RANGE') throw error;
        // A broker that has just started says so too, until it has heard of its topics.
        if (attempt > RETRY.retries)
          throw type === 'UNKNOWN_TOPIC_OR_PARTITION' ? new LogMissingError(this.#topic, error) : error;
        await delay(Math.min(RETRY.initialRetryTime * 2 ** (attempt - 1), RETRY.maxRetryTime));
        // Where that fails, the next attempt meets the same obstacle and says so, unless it has gone by then.
        await this.#recover(error).catch(() => undefined);
      }
    }
  }

  /**
   * Connects again where that is what was wrong, and asks anew who leads. Whoever finds the same obstacle meanwhile
   * waits for the same attempt: side by side, several would throw away each other's connections.
   */
  #recover(error: unknown): Promise<void> {
    const lost = closedConnection(error);
    if (lost !== null) this.#cluster.removeBroker(lost);
    this.#recovering ??= this.#reconnect();
    return this.#recovering;
  }

  async #reconnect(): Promise<void> {
    try {
      if (!this.#cluster.isConnected()) await this.#cluster.connect();
      await this.#cluster.refreshMetadata();
    } finally {
      this.#recovering = null;
    }
  }
}

function offsetOf(text: string | undefined): number {
  const offset = Number(text ?? Number.NaN);
  if (!Number.isSafeInteger(offset)) throw new Error(`the broker answered no offset: ${text ?? 'none'}`);
  return offset;
}

/** Kafka's name of a protocol error, which kafkajs may have wrapped. */
export function errorType(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  if ('type' in error && typeof error.type === 'string') return error.type;
  return 'cause' in error ? errorType(error.cause) : null;
}

function closedConnection(error: unknown): { host: string; port: number } | null {
  if (typeof error !== 'object' || error === null || !('host' in error) || !('port' in error)) return null;
  return { host: String(error.host), port: Number(error.port) };
}
