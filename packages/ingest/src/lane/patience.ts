import { measured, usualMsMax, type UsualTime } from '../core/usual-time.ts';
import type { Timing } from '../timing.ts';

const TICK_MS = 20;
/** However quick the log usually is: a pause of a collector or a disk is no outage. */
const STALLED_MS_MIN = 80;
/** However slow it usually is: after this, whoever was refused would have come again. */
const STALLED_MS_MAX = 2_000;
/** As long as nothing is known of the log (RFC 6298 begins with the same second). */
const STALLED_MS_FIRST = 1_000;

/**
 * Notices that the log takes longer than it usually does, so that nobody more is made to wait for it. It counts ticks
 * of a timer and not time: while this process itself is held up no tick passes, and the log is not blamed for it.
 */
export class Patience {
  readonly #timing: Timing;
  readonly #ticked: () => void;
  #usual: UsualTime | null = null;
  #since: number | null = null;
  #ticks = 0;
  #cancel: (() => void) | null = null;

  /** @param ticked is called at every tick while something is awaited */
  constructor(timing: Timing, ticked: () => void) {
    this.#timing = timing;
    this.#ticked = ticked;
  }

  /** Whether what is awaited now is overdue. */
  get isOver(): boolean {
    const usual = this.#usual === null ? STALLED_MS_FIRST : usualMsMax(this.#usual);
    const limit = Math.min(Math.max(usual, STALLED_MS_MIN), STALLED_MS_MAX);
    return this.#ticks * TICK_MS >= limit;
  }

  /** From now on the log is awaited. */
  begin(): void {
    this.#since = this.#timing.now();
    this.#ticks = 0;
    this.#cancel?.();
    this.#next();
  }

  /** What was awaited has come, as it should. */
  settled(): void {
    if (this.#since !== null) this.#usual = measured(this.#usual, this.#timing.now() - this.#since);
    this.#since = null;
    this.#ticks = 0;
  }

  /** Nothing is awaited any more. */
  end(): void {
    this.#since = null;
    this.#ticks = 0;
    this.#cancel?.();
    this.#cancel = null;
  }

  #next(): void {
    this.#cancel = this.#timing.after(TICK_MS, () => {
      this.#ticks++;
      this.#next();
      this.#ticked();
    });
  }
}
