import { setTimeout as delay } from 'node:timers/promises';
import type Broker from 'kafkajs/src/broker/index.js';
import type { BrokerLink, MakeLink } from './broker-link.ts';
import { RETRY } from './client.ts';
import { NoLeaderError, troubleOf } from './kafkajs-errors.ts';
import { readMetadata } from './metadata.ts';
import type { Places } from './places.ts';

/**
 * Asks the leaders of one topic's partitions, over connections of its own. Where one of them fails, everything that is
 * known of that broker is thrown away, and who leads is asked of the brokers that nothing is wrong with first: one
 * that is silent, or takes connections and ends them, costs its own time-out once, and holds up nobody again.
 */
export class Leaders {
  readonly #makeLink: MakeLink;
  readonly #places: Places;
  readonly #topic: string;
  readonly #links = new Map<string, BrokerLink>();
  /** The brokers that something is awaited from. */
  readonly #awaited = new Set<BrokerLink>();
  #leaders: ReadonlyMap<number, string> = new Map();
  #learning: Promise<void> | null = null;
  #closed = false;

  constructor(makeLink: MakeLink, places: Places, topic: string) {
    this.#makeLink = makeLink;
    this.#places = places;
    this.#topic = topic;
  }

  /**
   * What `question` answers of the leader of `partition`. Asked again, a few times, where a leader moved or a
   * connection ended: it must be harmless to ask twice.
   */
  async ask<T>(partition: number, question: (leader: Broker) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const place = this.#leaders.get(partition) ?? (await this.#find(partition));
        return await this.#askAt(place, question);
      } catch (error) {
        if (this.#closed || attempt > RETRY.retries || troubleOf(error) === 'final') throw error;
        await delay(Math.min(RETRY.initialRetryTime * 2 ** (attempt - 1), RETRY.maxRetryTime));
        if (this.#closed) throw error;
        this.#leaders = new Map([...this.#leaders].filter(([other]) => other !== partition));
      }
    }
  }

  /**
   * Asks who leads. Whoever wants to know meanwhile waits for the same answer.
   * @throws what the last of the brokers said, where none of them knows
   */
  learn(): Promise<void> {
    this.#learning ??= this.#learn().finally(() => {
      this.#learning = null;
    });
    return this.#learning;
  }

  /** Ends the connections. Brokers that still owe an answer are the last to be asked by others from now on. */
  close(): void {
    this.#closed = true;
    for (const { place } of this.#awaited) this.#places.failed(place);
    for (const link of this.#links.values()) link.end();
    this.#links.clear();
  }

  async #find(partition: number): Promise<string> {
    await this.learn();
    const place = this.#leaders.get(partition);
    if (place === undefined) throw new NoLeaderError(this.#topic, partition);
    return place;
  }

  async #learn(): Promise<void> {
    let failure: unknown = new Error('there is no broker to ask');
    for (const place of this.#places.order) {
      try {
        const { brokers, leaders } = await this.#askAt(place, (broker) => readMetadata(broker, this.#topic));
        this.#places.learn(brokers);
        this.#leaders = leaders;
        return;
      } catch (error) {
        failure = error;
        // What a broker says of the topic, another one says as well; a new one may not have heard of it yet.
        if (this.#closed || troubleOf(error) === 'final') throw error;
      }
    }
    throw failure;
  }

  async #askAt<T>(place: string, question: (broker: Broker) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('these connections are closed');
    const link = this.#links.get(place) ?? this.#makeLink(place);
    this.#links.set(place, link);
    this.#awaited.add(link);
    try {
      const broker = await this.#connect(link);
      return await question(broker);
    } catch (error) {
      if (troubleOf(error) === 'lost') this.#drop(link);
      throw error;
    } finally {
      this.#awaited.delete(link);
    }
  }

  async #connect(link: BrokerLink): Promise<Broker> {
    try {
      return await link.connected();
    } catch (error) {
      // Whatever it was: a connection that stopped halfway would pass for one that can be used.
      this.#drop(link);
      throw error;
    }
  }

  /** Ends the connections to a broker, unless somebody else has already, and new ones have been made. */
  #drop(link: BrokerLink): void {
    if (this.#links.get(link.place) !== link) return;
    this.#links.delete(link.place);
    this.#places.failed(link.place);
    link.end();
  }
}
