import { setTimeout as delay } from 'node:timers/promises';

/** What the exporter takes from its surroundings, so that tests decide over time and chance. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** A log line is an event: `name` is `noun.verb_past`, `fields` hold ids and numbers, never payloads. */
export interface Logger {
  info(fields: object, name: string): void;
  warn(fields: object, name: string): void;
  error(fields: object, name: string): void;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    // The abort is the caller's to notice: here it only means that the wait is over.
    await delay(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  },
};
