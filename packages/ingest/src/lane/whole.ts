import { holdsMark } from '@tachograph/event-log';
import type { Position } from '../registry/settlement.ts';
import type { LogReads } from './bounded-reads.ts';
import { LogTruncatedError } from './ports.ts';

/**
 * Looks whether the partition still holds what was settled of it: it ends there or later, and the last settled record
 * still stands where it stood. What has expired tells nothing, and stops nothing.
 *
 * @returns where the partition begins and ends
 * @throws LogTruncatedError where it does not
 */
export async function checkWhole(
  log: LogReads,
  partition: number,
  { offset, mark }: Position,
): Promise<{ readonly oldest: number; readonly next: number }> {
  const ends = await log.offsets(partition);
  if (ends.next < offset)
    throw new LogTruncatedError(partition, `ends at ${ends.next}, but was settled up to ${offset}`);
  if (mark !== null && !(await holdsMark(log, partition, mark)))
    throw new LogTruncatedError(
      partition,
      `holds other records than those that were settled up to ${offset}`,
    );
  return ends;
}

/** An append came to stand before what was settled: the log was cut or made anew since it was last looked at. */
export function appendedTooEarly(partition: number, settled: number, baseOffset: number): LogTruncatedError {
  return new LogTruncatedError(
    partition,
    `took an append at ${baseOffset}, but was settled up to ${settled}`,
  );
}
