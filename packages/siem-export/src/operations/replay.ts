import { HEADER, type EventLog, type GroupReader } from '@tachograph/event-log';
import { BlockCache } from '../feed/block-cache.ts';
import type { Choice } from '../feed/choice.ts';
import { ChunkBuilder } from '../feed/chunk.ts';
import { loadFeedState, StoredFeed } from '../feed/stored-feed.ts';
import type { ExportEvent } from '../export-event.ts';
import { EXPORT_LIMITS } from '../limits.ts';

/** What of the feed is to be sent once more: by when ingest received it, and as a route chooses. */
export type ReplayRange = Choice & {
  /** RFC 3339, inclusive; `null` from the oldest event that there is. */
  readonly from: string | null;
  /** RFC 3339, exclusive; `null` to what the filter has come to. */
  readonly to: string | null;
};

/** Some events of a partition, and how far reading has come in all of them. */
export type ReplayChunk = {
  readonly events: readonly ExportEvent[];
  /** Offsets that were looked at so far, and that there are, over all partitions. */
  readonly looked: number;
  readonly total: number;
};

type Source = {
  readonly log: EventLog;
  /** A reader of the exporters' group; it runs nothing. */
  readonly reader: Pick<GroupReader, 'load'>;
};

/**
 * Reads what the exporters' filter has passed, once more, partition by partition and in the order of the log: the
 * same events, whether or not an exporter is running.
 */
export async function* readAgain(
  { log, reader }: Source,
  range: ReplayRange,
  eventsMax: number,
): AsyncGenerator<ReplayChunk> {
  const stretches = await stretchesOf(log, reader);
  const total = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  const blocks = new BlockCache(log, EXPORT_LIMITS.blockCacheBytesMax);
  let before = 0;
  for (const { partition, life, from, to } of stretches) {
    const feed = new StoredFeed({ partition, life, log, reader, blocks });
    for (let at = from; at < to;) {
      const limits = { eventsMax, bytesMax: EXPORT_LIMITS.chunkBytesMax };
      const chunk = await feed.read(new ChunkBuilder(range, limits), at, to);
      at = chunk.next;
      const events = chunk.events.filter(({ headers }) => isWithin(headers[HEADER.recordedTime], range));
      yield { events, looked: before + at - from, total };
    }
    before += to - from;
  }
}

async function stretchesOf(log: EventLog, reader: Source['reader']) {
  const { partitions } = await log.describe();
  const stretches: { partition: number; life: number; from: number; to: number }[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const state = await loadFeedState(reader, partition);
    if (state === null) continue;
    const { oldest } = await log.offsets(partition);
    const from = Math.min(oldest, state.next);
    stretches.push({ partition, life: state.life, from, to: state.next });
  }
  return stretches;
}

/** An event without a time of reception is only in a range without bounds. */
function isWithin(received: string | undefined, { from, to }: ReplayRange): boolean {
  if (from === null && to === null) return true;
  if (received === undefined) return false;
  const at = Date.parse(received);
  return (from === null || at >= Date.parse(from)) && (to === null || at < Date.parse(to));
}
