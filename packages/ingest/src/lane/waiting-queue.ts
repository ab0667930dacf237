import type { JobResult } from './job.ts';
import type { Waiting } from './waiting.ts';

/** Those who wait for one lane, first come, first served. All wait equally long at most, so the first is due first. */
export class WaitingQueue {
  #queue: Waiting[] = [];

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  push(waiting: Waiting): void {
    this.#queue.push(waiting);
  }

  /** As many as one append to the log of `bytesMax` may hold, at least one. */
  take(bytesMax: number): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > bytesMax) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** Ends all of them. */
  endAll(result: JobResult): void {
    const all = this.#queue;
    this.#queue = [];
    for (const waiting of all) waiting.end(result);
  }

  /** Ends those whose time is up, and answers how many they were. */
  endDue(nowMs: number, result: JobResult): number {
    const others = this.#queue.findIndex((waiting) => !waiting.isDue(nowMs));
    const due = this.#queue.splice(0, others < 0 ? this.#queue.length : others);
    for (const waiting of due) waiting.end(result);
    return due.length;
  }
}
