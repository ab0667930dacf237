/**
 * All bytes that this process holds of requests: of bodies that arrive and are parsed, and of appends that wait for
 * the log. Whoever holds some draws on this one sum, so that no second bound has to be right for memory to have one.
 */
export class HeldBytes {
  readonly max: number;
  #held = 0;

  constructor(max: number) {
    this.max = max;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes `bytes` where there is room for them, or nothing. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.max) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
