const QUICK_MS = 1_000;
const SLOW_MS = 8_000;

/** How the last polls went: rounds in a row without anything new, and failures in a row. */
export type PollHistory = { readonly quiet: number; readonly failures: number };

/** The wait before the next poll, in milliseconds: quick while lines arrive, slower while nothing does. */
export function nextPollMs({ quiet, failures }: PollHistory): number {
  const rounds = Math.max(Math.floor(quiet / 5), failures);
  return Math.min(SLOW_MS, QUICK_MS * 2 ** Math.min(rounds, 8));
}
