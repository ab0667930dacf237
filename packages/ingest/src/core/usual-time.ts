/** What is known of how long something takes, in milliseconds: a smoothed mean and a smoothed deviation. */
export type UsualTime = { readonly meanMs: number; readonly deviationMs: number };

/** `before` with one more measurement (RFC 6298, section 2, with its gains: an eighth and a quarter). */
export function measured(before: UsualTime | null, ms: number): UsualTime {
  if (before === null) return { meanMs: ms, deviationMs: ms / 2 };
  return {
    meanMs: before.meanMs + (ms - before.meanMs) / 8,
    deviationMs: before.deviationMs + (Math.abs(ms - before.meanMs) - before.deviationMs) / 4,
  };
}

/** How long it may take and still be called usual: the mean and four deviations, as RFC 6298 has its time-out. */
export function usualMsMax({ meanMs, deviationMs }: UsualTime): number {
  return meanMs + 4 * deviationMs;
}
