import { appendLeaves, leafHash, LIMITS, type Bytes, type DeviceId } from '@tachograph/wire';
import type { Position } from './rows.ts';

/** Room for the request note, the checkpoint and what frames them. */
const NOTES_BYTES = 4 * 1024;

export type BatchLimits = { readonly leavesMax: number; readonly bytesMax: number };

export const BATCH_LIMITS: BatchLimits = {
  leavesMax: LIMITS.appendLeavesMax,
  bytesMax: LIMITS.appendBytesMax - NOTES_BYTES,
};

/** What a page may still send while it goes away shares 64 KiB. */
export const KEEPALIVE_LIMITS: BatchLimits = { leavesMax: 500, bytesMax: 60 * 1024 - NOTES_BYTES };

/**
 * One pass over the entries that wait, computed from the receipt's position. It remembers the position at every
 * place where a batch may end. Those count for nothing until the pass reached the stored checkpoint and its root
 * came out: only then may a smaller size of the same computation be signed.
 */
export class ReplaySession {
  readonly device: DeviceId;
  readonly limits: BatchLimits;
  #boundaries: Position[];
  #verified: number;
  #position: Position;

  constructor(device: DeviceId, base: Position, limits: BatchLimits) {
    this.device = device;
    this.limits = limits;
    this.#boundaries = [base];
    this.#position = base;
    this.#verified = base.range.size;
  }

  /** How far the pass has come. */
  get position(): Position {
    return this.#position;
  }

  /** Takes the next leaves, in order. */
  take(leaves: readonly Bytes[]): void {
    let hashes: Bytes[] = [];
    let { bytes } = this.#position;
    const start = (): Position => this.#boundaries[this.#boundaries.length - 1]!;
    for (const leaf of leaves) {
      const length = leaf.length + 1;
      const count = this.#position.range.size + hashes.length - start().range.size;
      if (
        count > 0 &&
        (count >= this.limits.leavesMax || bytes + length - start().bytes > this.limits.bytesMax)
      ) {
        this.#position = { range: appendLeaves(this.#position.range, hashes), bytes };
        this.#boundaries.push(this.#position);
        hashes = [];
      }
      hashes.push(leafHash(leaf));
      bytes += length;
    }
    this.#position = { range: appendLeaves(this.#position.range, hashes), bytes };
  }

  /** Says that the root at the present position is that of the stored checkpoint: a batch may end here, too. */
  verified(): void {
    const last = this.#boundaries[this.#boundaries.length - 1]!;
    if (last.range.size < this.#position.range.size) this.#boundaries.push(this.#position);
    this.#verified = this.#position.range.size;
  }

  /** The verified boundary at `size`, or `null`. */
  at(size: number): Position | null {
    if (size > this.#verified) return null;
    return this.#boundaries.find(({ range }) => range.size === size) ?? null;
  }

  /** The largest verified boundary that is not above `size`, or `null` if `size` lies outside of the pass. */
  floor(size: number): Position | null {
    if (size > this.#verified) return null;
    return this.#boundaries.findLast(({ range }) => range.size <= size) ?? null;
  }

  /** Where the batch that starts at `size` ends, or `null` if nothing verified waits there. */
  after(size: number): Position | null {
    const next = this.#boundaries.find(({ range }) => range.size > size) ?? null;
    return next !== null && next.range.size <= this.#verified ? next : null;
  }

  /** Forgets the boundaries below `size`: a receipt has passed them. */
  forget(size: number): void {
    this.#boundaries = this.#boundaries.filter(({ range }) => range.size >= size);
  }
}
