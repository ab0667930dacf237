import type { EventLog, StoredRecord } from '@tachograph/event-log';
import { sizeOf } from './chunk.ts';
import { Slots } from './slots.ts';

/** Offsets that are read and kept together. */
const BLOCK_OFFSETS = 512;

/** Blocks that are read, or read from, at once. */
const READINGS_MAX = 8;

type Block = { readonly records: Promise<readonly StoredRecord[]>; bytes: number };

/**
 * Records that are read again by routes which are behind. Those that were held up by one destination go through the
 * same stretch at about the same time: each block is read once for all of them while it is kept.
 */
export class BlockCache {
  readonly #log: Pick<EventLog, 'readRange'>;
  readonly #bytesMax: number;
  /** In order of use: a `Map` keeps the order of insertion. */
  readonly #blocks = new Map<string, Block>();
  /** A block is much more than what one route takes of it: few are held at once. */
  readonly #readings = new Slots(READINGS_MAX);
  #bytes = 0;

  constructor(log: Pick<EventLog, 'readRange'>, bytesMax: number) {
    this.#log = log;
    this.#bytesMax = bytesMax;
  }

  /**
   * Runs `use` with the records of the block around `from` and where it ends: not behind `end`, up to which the log may
   * be read. `use` waits for nothing but the disk.
   */
  async around<T>(
    partition: number,
    from: number,
    end: number,
    use: (records: readonly StoredRecord[], to: number) => Promise<T>,
  ): Promise<T> {
    const start = from - (from % BLOCK_OFFSETS);
    const to = start + BLOCK_OFFSETS;
    return this.#readings.with(async () => {
      // One that still grows is not kept.
      if (to > end) return use(await this.#read(partition, from, end), end);
      return use(await this.#kept(partition, start, to), to);
    });
  }

  async #kept(partition: number, from: number, to: number): Promise<readonly StoredRecord[]> {
    const key = `${partition}/${from}`;
    const found = this.#blocks.get(key);
    if (found !== undefined) {
      this.#blocks.delete(key);
      this.#blocks.set(key, found);
      return found.records;
    }
    const block: Block = { records: this.#read(partition, from, to), bytes: 0 };
    this.#blocks.set(key, block);
    try {
      const records = await block.records;
      if (this.#blocks.get(key) === block) {
        block.bytes = records.reduce((bytes, record) => bytes + sizeOf(record), 0);
        this.#bytes += block.bytes;
        this.#forgetOldest();
      }
      return records;
    } catch (error) {
      if (this.#blocks.get(key) === block) this.#blocks.delete(key);
      throw error;
    }
  }

  async #read(partition: number, from: number, to: number): Promise<readonly StoredRecord[]> {
    const all: StoredRecord[] = [];
    for await (const records of this.#log.readRange(partition, from, to)) all.push(...records);
    return all;
  }

  #forgetOldest(): void {
    for (const [key, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#blocks.delete(key);
      this.#bytes -= bytes;
    }
  }
}
