import { HEADER, type StoredRecord } from '@tachograph/event-log';
import { leafHash } from '@tachograph/wire';
import type { ExportEvent } from '../export-event.ts';
import { isChosen, type Choice } from './choice.ts';
import type { Verdicts } from './verdicts.ts';

/** Some events of one partition that a route asks for. All that it asks for before `next` is in here. */
export type Chunk = {
  readonly events: readonly ExportEvent[];
  readonly next: number;
  /** Bytes of the events, about. */
  readonly bytes: number;
  /** Offsets at its beginning that retention has removed before they were read. */
  readonly expired: number;
};

/** Where a chunk ends: after the event that reaches one of them. */
export type ChunkLimits = { readonly eventsMax: number; readonly bytesMax: number };

/** Gathers a chunk, in the order of the log. Events of one offset are never parted: a position is an offset. */
export class ChunkBuilder {
  readonly #choice: Choice;
  readonly #limits: ChunkLimits;
  readonly #events: ExportEvent[] = [];
  #bytes = 0;

  constructor(choice: Choice, limits: ChunkLimits) {
    this.#choice = choice;
    this.#limits = limits;
  }

  /** Whether an event of `offset` is still taken. */
  hasRoom(offset: number): boolean {
    const isFull = this.#events.length >= this.#limits.eventsMax || this.#bytes >= this.#limits.bytesMax;
    return !isFull || this.#events.at(-1)?.offset === offset;
  }

  /** Takes the event if the route asks for it; `make` is called only then. */
  add(headers: ExportEvent['headers'], size: number, make: () => ExportEvent): void {
    if (!isChosen(headers, this.#choice)) return;
    this.#events.push(make());
    this.#bytes += size;
  }

  build(next: number, expired = 0): Chunk {
    return { events: this.#events, next, bytes: this.#bytes, expired };
  }
}

/** Bytes that an event takes in memory, about: headers are short and many. */
export function sizeOf({ headers, value }: Pick<ExportEvent, 'headers' | 'value'>): number {
  let bytes = value.length;
  for (const name in headers) bytes += name.length + headers[name]!.length;
  return bytes;
}

/**
 * Adds what stands from `from` to before `to` as the verdicts have it: `records` are those of the log, read again.
 * Answers the offset to go on from, which is before `to` where the chunk is full. Pure but for `chunk`.
 */
export function addRecords(
  chunk: ChunkBuilder,
  records: readonly StoredRecord[],
  { withheld, notices }: Verdicts,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let [range, notice] = [0, 0];
  const addNotices = (offsetMax: number): number | null => {
    for (; notice < notices.length && notices[notice]!.offset <= offsetMax; notice++) {
      const event = notices[notice]!;
      if (event.offset < from) continue;
      if (!chunk.hasRoom(event.offset)) return event.offset;
      chunk.add(event.headers, sizeOf(event), () => event);
    }
    return null;
  };
  for (const record of records) {
    const { offset, headers, value, partition } = record;
    if (offset < from) continue;
    if (offset >= to) break;
    const full = addNotices(offset);
    if (full !== null) return full;
    while (range < withheld.length && withheld[range]!.to <= offset) range++;
    const isWithheld = range < withheld.length && withheld[range]!.from <= offset;
    if (isWithheld || HEADER.duplicateOf in headers) continue;
    if (!chunk.hasRoom(offset)) return offset;
    chunk.add(headers, sizeOf(record), () => ({
      headers,
      value,
      leafHash: leafHash(value),
      partition,
      offset,
    }));
  }
  // Also before records that retention has removed since.
  return addNotices(to - 1) ?? to;
}
