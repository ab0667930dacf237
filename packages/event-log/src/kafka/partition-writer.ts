import type { AppendOutcome } from '../port.ts';
import type { LogRecord } from '../record.ts';
import type { IdempotentProducer } from './idempotent-producer.ts';

/**
 * Appends to one partition, with a producer of its own and never two sends at a time. A producer whose send did not
 * end well is thrown away, since nobody knows at which sequence number the broker stands; what it still appends later
 * is a duplicate that readers drop.
 */
export class PartitionWriter {
  readonly #makeProducer: (partition: number) => IdempotentProducer;
  readonly #partition: number;
  #producer: IdempotentProducer | null = null;
  #sending: Promise<AppendOutcome> | null = null;

  constructor(makeProducer: (partition: number) => IdempotentProducer, partition: number) {
    this.#makeProducer = makeProducer;
    this.#partition = partition;
  }

  /** @throws Error where the one before has not settled */
  async append(records: readonly LogRecord[], deadline: AbortSignal): Promise<AppendOutcome> {
    if (this.#sending !== null)
      throw new Error(`an append to partition ${this.#partition} has not settled yet`);
    if (deadline.aborted) return { kind: 'ambiguous', cause: deadline.reason };
    this.#sending = this.#append(records, deadline);
    try {
      return await this.#sending;
    } finally {
      this.#sending = null;
    }
  }

  /** Waits for an append that is under way, which its deadline bounds. */
  async close(): Promise<void> {
    await this.#sending;
    this.#producer?.close();
  }

  async #append(records: readonly LogRecord[], deadline: AbortSignal): Promise<AppendOutcome> {
    const producer = (this.#producer ??= this.#makeProducer(this.#partition));
    try {
      return { kind: 'appended', baseOffset: await beforeDeadline(producer.send(records), deadline) };
    } catch (cause) {
      this.#producer = null;
      producer.close();
      return { kind: 'ambiguous', cause };
    }
  }
}

/** The value of `promise`, or a rejection when `deadline` aborts first; the promise's own end is then nobody's. */
export function beforeDeadline<T>(promise: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const passed = (): void => reject(deadline.reason as Error);
    deadline.addEventListener('abort', passed, { once: true });
    promise.then(resolve, reject).finally(() => deadline.removeEventListener('abort', passed));
  });
}
