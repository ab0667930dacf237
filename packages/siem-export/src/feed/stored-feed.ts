import type { EventLog, GroupReader, StoredRecord } from '@tachograph/event-log';
import type { BlockCache } from './block-cache.ts';
import { addRecords, type Chunk, type ChunkBuilder } from './chunk.ts';
import { joined, NO_VERDICTS, parseVerdicts, rowsOf, type OffsetRange, type Verdicts } from './verdicts.ts';

/** The state of this name: the life of the partition, and how far the filter had come in it. */
const FEED_KEY = 'feed';

/** How far the filter had come in a partition when that was stored. */
export type FeedState = {
  /**
   * Verdicts stand under it. It is another one after the group was taken back to an earlier position: what stood behind
   * that was about other records.
   */
  readonly life: number;
  /** Everything before this offset is decided. */
  readonly next: number;
};

/** What the state says; `null` where no filter has run over the partition. */
export async function loadFeedState(
  reader: Pick<GroupReader, 'load'>,
  partition: number,
): Promise<FeedState | null> {
  const text = (await reader.load(partition, [FEED_KEY])).get(FEED_KEY);
  if (text === undefined) return null;
  const [life, next] = text.split(' ').map(Number);
  if (life === undefined || next === undefined) throw new Error('the state of the feed is malformed');
  return { life, next };
}

export function feedStateEntry({ life, next }: FeedState): readonly [key: string, value: string] {
  return [FEED_KEY, `${life} ${next}`];
}

export function verdictsKey(life: number, row: number): string {
  return `verdicts|${life}|${row}`;
}

type StoredFeedParts = {
  readonly partition: number;
  readonly life: number;
  readonly log: Pick<EventLog, 'offsets'>;
  readonly reader: Pick<GroupReader, 'load'>;
  readonly blocks: BlockCache;
};

/** A partition of the feed as it can be read again at any time: the log, and what the filter decided over it. */
export class StoredFeed {
  readonly #parts: StoredFeedParts;

  constructor(parts: StoredFeedParts) {
    this.#parts = parts;
  }

  /** Fills `chunk` from `from` on, not behind `end`, up to which the filter has come. */
  async read(chunk: ChunkBuilder, from: number, end: number): Promise<Chunk> {
    const { blocks, partition } = this.#parts;
    return blocks.around(partition, from, end, async (records, to) => {
      const range = { from, to };
      const expired = Math.min(await this.#expired(records, from), end - from);
      if (expired >= to - from) return chunk.build(from + expired, expired);
      return chunk.build(addRecords(chunk, records, await this.#verdicts(range), range), expired);
    });
  }

  /** How many offsets from `from` on are not there any more. Gaps in the offsets are legal, and none. */
  async #expired(records: readonly StoredRecord[], from: number): Promise<number> {
    if (records.some(({ offset }) => offset === from)) return 0;
    return Math.max(0, (await this.#parts.log.offsets(this.#parts.partition)).oldest - from);
  }

  async #verdicts(range: OffsetRange): Promise<Verdicts> {
    const { life, partition, reader } = this.#parts;
    const keys = rowsOf(range).map((row) => verdictsKey(life, row));
    const rows = await reader.load(partition, keys);
    return [...rows.values()].map((text) => parseVerdicts(text, partition)).reduce(joined, NO_VERDICTS);
  }
}
