import type { Bytes } from './bytes.ts';

/**
 * Puts the lines of a body together from the pieces in which it arrives. What is held back is a copy, in one
 * array that grows by doubling: the caller may reuse its chunk, and many tiny chunks cost no more than a large one.
 */
export class LineBuffer {
  #bytes: Bytes = new Uint8Array(1024);
  #length = 0;

  /** Bytes held back so far. */
  get length(): number {
    return this.#length;
  }

  /** Holds back a part of a line whose line feed has not come yet. */
  hold(part: Bytes): void {
    const length = this.#length + part.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#length);
    this.#length = length;
  }

  /** The line that ends with `part`. It is valid until the next call: whoever keeps it copies it. */
  take(part: Bytes): Bytes {
    if (this.#length === 0) return part;
    this.hold(part);
    const line = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return line;
  }
}
