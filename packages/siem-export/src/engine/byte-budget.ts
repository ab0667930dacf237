type Waiting = { readonly bytes: number; readonly go: () => void };

/** Bytes that may be under way at once, given out in the order in which they were asked for. */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Runs `work` once `bytes` are free, and gives them back when it has ended. More than there is counts as all. */
  async with<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#bytesMax);
    if (this.#waiting.length > 0 || this.#taken + share > this.#bytesMax) {
      await new Promise<void>((go) => {
        this.#waiting.push({ bytes: share, go });
      });
    } else this.#taken += share;
    try {
      return await work();
    } finally {
      this.#taken -= share;
      this.#admit();
    }
  }

  #admit(): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#taken + first.bytes > this.#bytesMax) return;
      this.#waiting.shift();
      // Taken here and not by whoever wakes: nobody may come in between.
      this.#taken += first.bytes;
      first.go();
    }
  }
}
