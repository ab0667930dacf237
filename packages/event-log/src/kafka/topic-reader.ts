import type Broker from 'kafkajs/src/broker/index.js';
import { LogMissingError, LogReplacedError } from '../port.ts';
import type { StoredRecord } from '../record.ts';
import { errorType, offsetOf } from './kafkajs-errors.ts';
import type { Leaders } from './leaders.ts';
import { storedRecord } from './stored-record.ts';
import { readWriteRight } from './write-right.ts';

/** What a fetch answers at most, except that it always answers one whole append where there is one. */
const FETCH_BYTES_MAX = 1024 * 1024;
const READ_UNCOMMITTED = 0;
/** "Not a replica": a consumer, which sees only what all in-sync replicas have. */
const CONSUMER = -1;
/** What asks for an end of a partition in the place of a time. */
const END = { newest: -1, oldest: -2 } as const;

/** What one fetch found: the records, and the offset to go on from. */
export type Fetched = { readonly records: readonly StoredRecord[]; readonly next: number };

/**
 * Reads partitions of one topic from offsets that the caller names, without a consumer group: kafkajs cannot assign
 * partitions by hand, and a group costs a rebalance for each read (three seconds by the brokers' default), keeps an
 * offset of its own and starts over at that where it sees fit. So this asks the leaders itself, by the layer below.
 */
export class TopicReader {
  readonly #leaders: Leaders;
  readonly #topic: string;

  constructor(leaders: Leaders, topic: string) {
    this.#leaders = leaders;
    this.#topic = topic;
  }

  /** Finds out who leads, so that a log that cannot be read does not open. */
  async open(): Promise<void> {
    await this.#leaders.learn();
  }

  /** The oldest offset that can be read, and the one after the newest record that all in-sync replicas have. */
  async offsets(partition: number): Promise<{ readonly oldest: number; readonly next: number }> {
    // The older end first: it only moves towards the newer one.
    const oldest = await this.#end(partition, END.oldest);
    return { oldest, next: await this.#end(partition, END.newest) };
  }

  /**
   * What there is from `from` on, in a batch of about `bytesMax` bytes, but at least the whole append that holds `from`;
   * nothing at the partition's end.
   * @throws LogReplacedError where the partition ends before `from`; LogMissingError where the topic was deleted
   */
  async fetch(partition: number, from: number, bytesMax = FETCH_BYTES_MAX): Promise<Fetched> {
    try {
      return await this.#fetch(partition, from, bytesMax);
    } catch (error) {
      if (errorType(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
      const { oldest, next } = await this.offsets(partition);
      if (from > next) throw new LogReplacedError(partition, `ends at ${next}, but was read up to ${from}`);
      // Older records were removed by retention; the reader's filter says what that means.
      return { records: [], next: Math.max(oldest, from) };
    }
  }

  /** Whether the leader of `partition` lets this client append; `null` where it does not say. */
  mayAppend(partition: number): Promise<boolean | null> {
    return this.#ask(partition, (leader) => readWriteRight(leader, this.#topic));
  }

  close(): void {
    this.#leaders.close();
  }

  async #end(partition: number, timestamp: -1 | -2): Promise<number> {
    const topics = [{ topic: this.#topic, partitions: [{ partition, timestamp }] }];
    const { responses } = await this.#ask(partition, (leader) =>
      leader.listOffsets({ replicaId: CONSUMER, isolationLevel: READ_UNCOMMITTED, topics }),
    );
    return offsetOf(responses[0]?.partitions[0]?.offset);
  }

  async #fetch(partition: number, from: number, bytesMax: number): Promise<Fetched> {
    const { responses } = await this.#ask(partition, (leader) =>
      leader.fetch({
        replicaId: CONSUMER,
        isolationLevel: READ_UNCOMMITTED,
        // A broker answers a connection's requests one after the other: a fetch that waits would hold up the others.
        maxWaitTime: 0,
        minBytes: 1,
        maxBytes: bytesMax,
        topics: [
          {
            topic: this.#topic,
            partitions: [{ partition, fetchOffset: String(from), maxBytes: bytesMax }],
          },
        ],
      }),
    );
    const messages = responses[0]?.partitions[0]?.messages ?? [];
    const last = messages.at(-1);
    if (last === undefined) return { records: [], next: from };
    const records = messages
      // The batch that holds `from` may begin before it.
      .filter((message) => !message.isControlRecord && Number(message.offset) >= from)
      .map((message) => storedRecord(message, partition));
    return { records, next: Math.max(from, offsetOf(last.offset) + 1) };
  }

  /** A broker that has just started does not know the topic either, for a while: asked often enough, it is gone. */
  async #ask<T>(partition: number, question: (leader: Broker) => Promise<T>): Promise<T> {
    try {
      return await this.#leaders.ask(partition, question);
    } catch (error) {
      throw errorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
        ? new LogMissingError(this.#topic, error)
        : error;
    }
  }
}
