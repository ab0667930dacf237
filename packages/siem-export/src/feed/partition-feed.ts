import {
  LogFilter,
  type EventLog,
  type FilteredRun,
  type GroupReader,
  type LogFilterOptions,
  type StoredRecord,
} from '@tachograph/event-log';
import type { ExportEvent } from '../export-event.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import { findingOfAlarm } from './alarm.ts';
import type { BlockCache } from './block-cache.ts';
import type { Choice } from './choice.ts';
import { ChunkBuilder, type Chunk, type ChunkLimits } from './chunk.ts';
import type { Committer } from './committer.ts';
import { addRun, noFeedCounts, type FeedCounts } from './feed-counts.ts';
import { FeedWindow, type FeedBatch } from './feed-window.ts';
import { noticeOf } from './notice.ts';
import { returnOf } from './returned.ts';
import { feedStateEntry, loadFeedState, StoredFeed, verdictsKey } from './stored-feed.ts';
import { byRow, formatVerdicts, joined, NO_VERDICTS, parseVerdicts, rowOf } from './verdicts.ts';
import type { OffsetRange, Verdicts } from './verdicts.ts';

type FeedParts = {
  readonly partition: number;
  /** Offset up to which the filter had come when it was stored last. */
  readonly position: number;
  readonly life: number;
  readonly log: Pick<EventLog, 'offsets'>;
  readonly reader: Pick<GroupReader, 'load'>;
  readonly committer: Committer;
  readonly blocks: BlockCache;
  readonly receiptSeconds: LogFilterOptions['receiptSeconds'];
  /** Told of each batch in the moment in which `next` moves behind it: nobody may take it for read in between. */
  readonly grown: (batch: FeedBatch) => void;
};

/** Which life of the partition begins or goes on where the group's position is `position`. */
export async function lifeAt(
  reader: Pick<GroupReader, 'load'>,
  partition: number,
  position: number,
): Promise<number> {
  const stored = await loadFeedState(reader, partition);
  if (stored === null) return 0;
  return stored.next === position ? stored.life : stored.life + 1;
}

/**
 * One partition behind the log-order filter, which runs over it once for all routes. What it decided is stored with
 * its position, so that a route reads at its own pace, from the newest batches in memory or from the log again, and
 * both give the same events.
 */
export class PartitionFeed {
  readonly #partition: number;
  readonly #reader: Pick<GroupReader, 'load'>;
  readonly #committer: Committer;
  readonly #stored: StoredFeed;
  readonly #life: number;
  readonly #filter: LogFilter;
  readonly #grown: FeedParts['grown'];
  readonly #window = new FeedWindow(EXPORT_LIMITS.feedWindowBytesMax);
  readonly #counts = noFeedCounts();
  /** The newest row of verdicts, which the next batch may add to. */
  #row: { readonly number: number; readonly verdicts: Verdicts } | null = null;
  #next: number;

  constructor(parts: FeedParts) {
    const { partition, position, life, log, reader, committer, blocks, receiptSeconds, grown } = parts;
    this.#partition = partition;
    this.#life = life;
    this.#reader = reader;
    this.#committer = committer;
    this.#grown = grown;
    this.#stored = new StoredFeed({ partition, life, log, reader, blocks });
    this.#filter = new LogFilter({ partition, reader, receiptSeconds });
    this.#next = position;
  }

  /** Everything before this offset is decided and can be read. */
  get next(): number {
    return this.#next;
  }

  get counts(): FeedCounts {
    return this.#counts;
  }

  /** Where the oldest batch in memory ends, if the next one will push it out: a route before it falls behind. */
  get leaving(): number | null {
    return this.#window.leaving;
  }

  /** Decides over the next records and stores that. Nothing grows while the append that they belong to has not ended. */
  async take(records: readonly StoredRecord[]): Promise<void> {
    const { runs, next, changes } = await this.#filter.read(records);
    const from = this.#next;
    if (next <= from) return;
    const returned = await this.#returns(runs);
    const { events, verdicts } = sift(runs, returned.notices, { from, to: next });
    const rows = await this.#rows(verdicts, from);
    const state = feedStateEntry({ life: this.#life, next });
    await this.#committer.commit(new Map([...changes, ...returned.changes, ...rows, state]), next);
    this.#filter.committed(next);
    for (const run of runs) addRun(this.#counts, run);
    this.#next = next;
    const batch = { from, next, events };
    this.#window.push(batch);
    this.#grown(batch);
  }

  /** What `choice` asks for from `from` on, as far as it is decided. */
  async read(from: number, choice: Choice, limits: ChunkLimits): Promise<Chunk> {
    const chunk = new ChunkBuilder(choice, limits);
    const end = Math.min(this.#window.from ?? this.#next, this.#next);
    if (from >= end) return chunk.build(this.#window.addTo(chunk, from));
    return this.#stored.read(chunk, from, end);
  }

  /** The rows that `verdicts` change, whole. */
  async #rows(verdicts: Verdicts, from: number): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    for (const [number, added] of byRow(verdicts)) {
      // Only the row in which the batch begins may have something already.
      const known = number === rowOf(from) ? joined(await this.#rowAt(number), added) : added;
      this.#row = { number, verdicts: known };
      texts.set(verdictsKey(this.#life, number), formatVerdicts(known));
    }
    return texts;
  }

  async #rowAt(number: number): Promise<Verdicts> {
    if (this.#row?.number === number) return this.#row.verdicts;
    const key = verdictsKey(this.#life, number);
    const text = (await this.#reader.load(this.#partition, [key])).get(key);
    return text === undefined ? NO_VERDICTS : parseVerdicts(text, this.#partition);
  }

  /** The devices that come back in `runs`, by the run that begins it. */
  async #returns(runs: readonly FilteredRun[]) {
    const notices = new Map<FilteredRun, ExportEvent>();
    const changes = new Map<string, string>();
    for (const run of runs) {
      // Nothing is loaded for a device that holds nothing back.
      if (returnOf(run, null) === null) continue;
      const key = `returned|${run.append!.origin}`;
      const known = changes.get(key) ?? (await this.#reader.load(this.#partition, [key])).get(key);
      const found = returnOf(run, known === undefined ? null : Number(known));
      if (found === null) continue;
      notices.set(run, noticeOf(found.finding));
      changes.set(key, String(found.until));
    }
    return { notices, changes };
  }
}

/** The events of some runs in the order in which they are told, and what of `range` is not plain. Pure. */
function sift(
  runs: readonly FilteredRun[],
  returned: ReadonlyMap<FilteredRun, ExportEvent>,
  range: OffsetRange,
): { readonly events: ExportEvent[]; readonly verdicts: Verdicts } {
  const events: ExportEvent[] = [];
  const verdicts = { withheld: [] as OffsetRange[], notices: [] as ExportEvent[] };
  let expected = range.from;
  for (const run of runs) {
    const back = returned.get(run);
    const told = [...run.alarms.map((alarm) => noticeOf(findingOfAlarm(alarm))), ...(back ? [back] : [])];
    verdicts.notices.push(...told);
    events.push(...told);
    for (const event of deliveredEvents(run)) {
      if (event.offset > expected) verdicts.withheld.push({ from: expected, to: event.offset });
      expected = event.offset + 1;
      events.push(event);
    }
  }
  if (expected < range.to) verdicts.withheld.push({ from: expected, to: range.to });
  return { events, verdicts };
}

/** The delivered records with their leaf hashes, which the filter has computed for the whole append. */
function deliveredEvents({ append, delivered }: FilteredRun): ExportEvent[] {
  const events: ExportEvent[] = [];
  for (const [i, record] of (append?.records ?? []).entries()) {
    // Delivered is a part of the append's records, in the same order.
    if (record !== delivered[events.length]) continue;
    const { headers, value, partition, offset } = record;
    events.push({ headers, value, leafHash: append!.leafHashes[i]!, partition, offset });
  }
  return events;
}
