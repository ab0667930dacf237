import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs';
import type { AppendOutcome } from '../port.ts';
import type { LogRecord } from '../record.ts';
import { REQUEST_TIMEOUT_MS, RETRY } from './client.ts';

/** All in-sync replicas, which `min.insync.replicas` keeps from being too few. */
const ACKS_ALL = -1;

/**
 * Appends to one partition, with a producer of its own and never two sends at a time: with two of them in flight,
 * kafkajs 2.2.4 can acknowledge a record that the log does not hold (one lost response is enough, also with
 * `maxInFlightRequests: 1`). A producer whose send did not end well is thrown away, since nobody knows at which
 * sequence number the broker stands; what it still appends later is a duplicate that readers drop.
 */
export class PartitionWriter {
  readonly #client: Kafka;
  readonly #topic: string;
  readonly #partition: number;
  #producer: Promise<Producer> | null = null;
  #sending = false;

  constructor(client: Kafka, topic: string, partition: number) {
    this.#client = client;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** @throws Error where the one before has not settled */
  async append(records: readonly LogRecord[], deadline: AbortSignal): Promise<AppendOutcome> {
    if (this.#sending) throw new Error(`an append to partition ${this.#partition} has not settled yet`);
    if (deadline.aborted) return { kind: 'ambiguous', cause: deadline.reason };
    this.#sending = true;
    const producer = (this.#producer ??= this.#connect());
    try {
      const sent = this.#send(producer, records);
      return { kind: 'appended', baseOffset: await beforeDeadline(sent, deadline) };
    } catch (cause) {
      await this.#discard(producer);
      return { kind: 'ambiguous', cause };
    } finally {
      this.#sending = false;
    }
  }

  async close(): Promise<void> {
    const producer = await this.#producer?.catch(() => null);
    await producer?.disconnect();
  }

  async #connect(): Promise<Producer> {
    const producer = this.#client.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: RETRY,
    });
    await producer.connect();
    return producer;
  }

  async #send(producer: Promise<Producer>, records: readonly LogRecord[]): Promise<number> {
    const metadata = await (
      await producer
    ).send({
      topic: this.#topic,
      acks: ACKS_ALL,
      timeout: REQUEST_TIMEOUT_MS,
      messages: records.map((record) => this.#message(record)),
    });
    // A string; after a retry that the broker recognised, the offset of the first attempt.
    const baseOffset = Number(metadata[0]?.baseOffset ?? -1);
    if (metadata.length !== 1 || !Number.isSafeInteger(baseOffset) || baseOffset < 0)
      throw new Error(`the broker acknowledged partition ${this.#partition} without an offset`);
    return baseOffset;
  }

  #message({ key, value, headers }: LogRecord): Message {
    const { buffer, byteOffset, byteLength } = value;
    return { partition: this.#partition, key, value: Buffer.from(buffer, byteOffset, byteLength), headers };
  }

  /** Lets go of a producer. What it is still about is over when its connections are; nobody waits for that. */
  async #discard(producer: Promise<Producer>): Promise<void> {
    this.#producer = null;
    producer.then(
      (connected) => connected.disconnect().catch(() => undefined),
      () => undefined,
    );
  }
}

/** The value of `promise`, or a rejection when `deadline` aborts first; the promise's own end is then nobody's. */
function beforeDeadline<T>(promise: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const passed = (): void => reject(deadline.reason as Error);
    deadline.addEventListener('abort', passed, { once: true });
    promise.then(resolve, reject).finally(() => deadline.removeEventListener('abort', passed));
  });
}
