import type { Timing } from '../src/timing.ts';

/** Time that passes only when it is told to. */
export class FakeTiming implements Timing {
  #now = 0;
  #timers: { readonly at: number; readonly due: () => void }[] = [];

  now = (): number => this.#now;

  after = (ms: number, due: () => void): (() => void) => {
    const timer = { at: this.#now + ms, due };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** How many timers run. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Lets `ms` pass; each timer is called at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = next.at;
      next.due();
    }
    this.#now = end;
  }

  /** Time passes while the process stands still: every timer that is due is late, and called once. */
  freeze(ms: number): void {
    this.#now += ms;
    const late = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter((timer) => !late.includes(timer));
    for (const { due } of late) due();
  }
}
