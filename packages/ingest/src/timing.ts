import { performance } from 'node:perf_hooks';

/** Time that passes, as opposed to what the clock on the wall shows. */
export type Timing = {
  /** Milliseconds since some start; never goes back. */
  readonly now: () => number;
  /** Calls `due` once after `ms`, and answers how to call that off. */
  readonly after: (ms: number, due: () => void) => () => void;
};

export const SYSTEM_TIMING: Timing = {
  now: () => performance.now(),
  after: (ms, due) => {
    const timer = setTimeout(due, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(timing: Timing, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = timing.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
