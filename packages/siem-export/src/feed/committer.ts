import type { GroupReader, StateChanges } from '@tachograph/event-log';

/**
 * Stores what belongs to one partition: how far the filter has come, and how far each route. What is asked for in
 * one turn of the event loop is stored in one transaction, so that a thousand routes cost one fsync and not a thousand.
 */
export class Committer {
  readonly #reader: Pick<GroupReader, 'commit'>;
  readonly #partition: number;
  /** The oldest offset that any route still needs. */
  readonly #hold: () => number;
  #next: number;
  #changes = new Map<string, string | null>();
  #flush: Promise<void> | null = null;

  constructor(reader: Pick<GroupReader, 'commit'>, partition: number, next: number, hold: () => number) {
    this.#reader = reader;
    this.#partition = partition;
    this.#next = next;
    this.#hold = hold;
  }

  /**
   * Stores `changes`, and the filter's position where it moves. What is asked for later is never stored before.
   * @throws PartitionLost where another exporter has the partition; nothing is stored then
   */
  commit(changes: StateChanges, next = this.#next): Promise<void> {
    for (const [key, value] of changes) this.#changes.set(key, value);
    this.#next = Math.max(this.#next, next);
    this.#flush ??= this.#soon();
    return this.#flush;
  }

  async #soon(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const changes = this.#changes;
    this.#changes = new Map();
    // Before anything is awaited: what is asked for from here on goes into the next transaction.
    this.#flush = null;
    await this.#reader.commit(this.#partition, this.#next, changes, this.#hold());
  }
}
