/** Divisor of what is left: so whoever comes first leaves room for the next, and nobody ever waits. */
const PART = 8;

export type Share = {
  /** Bytes that may be read into memory. */
  readonly bytes: number;
  /** Gives back what was not needed. */
  readonly keepOnly: (bytes: number) => void;
  readonly giveBack: () => void;
};

/**
 * Divides memory over all tracks of a process. Nobody waits for a share, since whom one would wait for may be hanging at a
 * destination that does not answer; it only gets smaller, down to `bytesMin`, the more are under way. All
 * together they take `bytesTotal`, and `bytesMin` for each beyond that.
 */
export class ByteShares {
  readonly #bytesTotal: number;
  readonly #bytesMin: number;
  #taken = 0;

  constructor(bytesTotal: number, bytesMin: number) {
    this.#bytesTotal = bytesTotal;
    this.#bytesMin = bytesMin;
  }

  take(bytesMax: number): Share {
    const left = Math.max(0, this.#bytesTotal - this.#taken);
    const bytes = Math.min(bytesMax, Math.max(this.#bytesMin, Math.floor(left / PART)));
    let held = bytes;
    this.#taken += held;
    const keepOnly = (kept: number): void => {
      this.#taken += kept - held;
      held = kept;
    };
    return { bytes, keepOnly, giveBack: () => keepOnly(0) };
  }
}
