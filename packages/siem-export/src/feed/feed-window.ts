import type { ExportEvent } from '../export-event.ts';
import type { ChunkBuilder } from './chunk.ts';
import { sizeOf } from './chunk.ts';

/** A stretch of a partition behind the filter: everything of the feed from `from` to before `next`. */
export type FeedBatch = {
  readonly from: number;
  readonly next: number;
  readonly events: readonly ExportEvent[];
};

/** The newest batches of a partition, so that routes at its end read them together, and the log once. */
export class FeedWindow {
  readonly #bytesMax: number;
  readonly #batches: (FeedBatch & { readonly bytes: number })[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The oldest offset in here; `null` while nothing is. */
  get from(): number | null {
    return this.#batches[0]?.from ?? null;
  }

  /** Where the oldest batch ends, if the next one will push it out. */
  get leaving(): number | null {
    return this.#bytes >= this.#bytesMax ? this.#batches[0]!.next : null;
  }

  push(batch: FeedBatch): void {
    let bytes = 0;
    for (const event of batch.events) bytes += sizeOf(event);
    this.#batches.push({ ...batch, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax && this.#batches.length > 1)
      this.#bytes -= this.#batches.shift()!.bytes;
  }

  /** Adds events from `from`, which is not before the window, and answers the offset to go on from. */
  addTo(chunk: ChunkBuilder, from: number): number {
    let next = from;
    for (const batch of this.#batches) {
      if (batch.next <= from) continue;
      for (const event of batch.events) {
        if (event.offset < from) continue;
        if (!chunk.hasRoom(event.offset)) return event.offset;
        chunk.add(event.headers, sizeOf(event), () => event);
      }
      next = batch.next;
    }
    return next;
  }
}
