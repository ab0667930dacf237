import { LIMITS } from '@tachograph/wire';

/** Below this the cap would refuse an event of the largest size next to a gap that has to be declared. */
const BYTES_MAX_LEAST = 2 * LIMITS.leafBytesMax;
const WHEN_FULL: ReadonlySet<unknown> = new Set(['gap', 'reject']);

/**
 * What is wrong with the options that an app may leave out: each problem names the option and what it may be. Types keep
 * nobody from `bytesMax: '64MB'` who reads it from a file, and a cap that compares with nothing caps nothing.
 */
export function optionProblems({
  whenFull,
  bytesMax,
}: {
  readonly whenFull?: unknown;
  readonly bytesMax?: unknown;
}): readonly string[] {
  return [
    ...(whenFull === undefined || WHEN_FULL.has(whenFull) ? [] : ['whenFull: gap or reject']),
    ...(bytesMax === undefined || isCap(bytesMax)
      ? []
      : [`bytesMax: a whole number of bytes, ${BYTES_MAX_LEAST} or more`]),
  ];
}

function isCap(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= BYTES_MAX_LEAST;
}
