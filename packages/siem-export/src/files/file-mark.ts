import { z } from 'zod';

/**
 * How far a file has been committed. It is stored in the transaction that moves a position, so that a restart
 * knows which bytes belong to positions and which to a batch that was cut short.
 */
export type FileMark = {
  /** Whose file: a route that now writes to another one must not be cut by the marks of the former. */
  readonly stem: string;
  /** Names the file over its life: what `<name>.ndjson` is called once it is rotated, sorted by age. */
  readonly generation: string;
  /** Bytes from the file's start. */
  readonly bytes: number;
};

const GENERATION = /^[0-9]{8}T[0-9]{9}Z$/;
const schema = z.strictObject({
  stem: z.string(),
  generation: z.string().regex(GENERATION),
  bytes: z.int().nonnegative(),
});

export function formatMark(mark: FileMark): string {
  return JSON.stringify(mark);
}

/**
 * The largest of `marks` for the file `stem`. Batches of all partitions go through one file one after the other, each committed before
 * the next is written: so whatever was committed ends at the largest mark, whichever partition holds it.
 *
 * @throws where a mark is none: it was written by something else, and cutting by it would destroy data.
 */
export function largestMark(marks: readonly string[], stem: string): FileMark | null {
  let largest: FileMark | null = null;
  for (const text of marks) {
    const mark = schema.parse(JSON.parse(text));
    if (mark.stem !== stem) continue;
    if (largest === null || isAfter(mark, largest)) largest = mark;
  }
  return largest;
}

export function isAfter(a: FileMark, b: FileMark): boolean {
  return a.generation === b.generation ? a.bytes > b.bytes : a.generation > b.generation;
}

/** The name of a file begun at `now` (milliseconds), later than `previous` even where the clock was set back. */
export function generationAfter(previous: string | null, now: number): string {
  const least = previous === null ? 0 : generationTime(previous) + 1;
  return new Date(Math.max(now, least)).toISOString().replaceAll(/[-:.]/g, '');
}

/** When a generation began, in milliseconds since the epoch. */
export function generationTime(generation: string): number {
  const [, date, time, ms] = /^(\d{8})T(\d{6})(\d{3})Z$/.exec(generation) ?? [];
  if (date === undefined || time === undefined) throw new RangeError(`not a generation: ${generation}`);
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return Date.parse(`${day}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}.${ms}Z`);
}
