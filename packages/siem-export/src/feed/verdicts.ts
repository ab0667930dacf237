import type { RecordHeaders } from '@tachograph/event-log';
import { fromBase64, toBase64 } from '@tachograph/wire';
import { z } from 'zod';
import type { ExportEvent } from '../export-event.ts';

/** Offsets in one row of verdicts. So few that a row of nothing but verdicts stays small. */
const ROW_OFFSETS = 4_096;

/** Offsets from `from` to before `to`. */
export type OffsetRange = { readonly from: number; readonly to: number };

/**
 * What the log-order filter decided over a stretch of a partition, as far as it is not plain: whoever reads the
 * records again needs this and no state. Everything else in the stretch is part of the feed.
 */
export type Verdicts = {
  /** Ascending: what stands there is not part of the feed, or there is nothing. */
  readonly withheld: readonly OffsetRange[];
  /** Ascending: what is told before the record of its offset. */
  readonly notices: readonly ExportEvent[];
};

export const NO_VERDICTS: Verdicts = { withheld: [], notices: [] };

/** The number of the row that has the verdicts over `offset`. */
export function rowOf(offset: number): number {
  return Math.floor(offset / ROW_OFFSETS);
}

/** The numbers of every row that touches `range`. */
export function rowsOf({ from, to }: OffsetRange): number[] {
  const first = rowOf(from);
  return Array.from({ length: rowOf(Math.max(from, to - 1)) - first + 1 }, (_, i) => first + i);
}

/** `verdicts` by the row that each belongs to; ranges over several rows are cut. */
export function byRow({ withheld, notices }: Verdicts): Map<number, Verdicts> {
  const rows = new Map<number, { withheld: OffsetRange[]; notices: ExportEvent[] }>();
  const row = (offset: number) => {
    const number = rowOf(offset);
    const found = rows.get(number) ?? { withheld: [], notices: [] };
    rows.set(number, found);
    return found;
  };
  for (const range of withheld) {
    for (let { from } = range; from < range.to;) {
      const to = Math.min(range.to, from - (from % ROW_OFFSETS) + ROW_OFFSETS);
      row(from).withheld.push({ from, to });
      from = to;
    }
  }
  for (const notice of notices) row(notice.offset).notices.push(notice);
  return rows;
}

export function joined(before: Verdicts, after: Verdicts): Verdicts {
  return {
    withheld: [...before.withheld, ...after.withheld],
    notices: [...before.notices, ...after.notices],
  };
}

const offset = z.int().nonnegative();
const row = z.strictObject({
  withheld: z.array(z.tuple([offset, offset])),
  notices: z.array(z.strictObject({ offset, headers: z.record(z.string(), z.string()), value: z.base64() })),
});

export function formatVerdicts({ withheld, notices }: Verdicts): string {
  return JSON.stringify({
    withheld: withheld.map(({ from, to }) => [from, to]),
    notices: notices.map(({ offset: at, headers, value }) => ({
      offset: at,
      headers,
      value: toBase64(value),
    })),
  } satisfies z.input<typeof row>);
}

/** @throws ZodError where the state is not what `formatVerdicts` wrote */
export function parseVerdicts(text: string, partition: number): Verdicts {
  const { withheld, notices } = row.parse(JSON.parse(text));
  return {
    withheld: withheld.map(([from, to]) => ({ from, to })),
    notices: notices.map((notice) => noticeOf(notice, partition)),
  };
}

function noticeOf(
  { offset: at, headers, value }: { offset: number; headers: RecordHeaders; value: string },
  partition: number,
): ExportEvent {
  const bytes = fromBase64(value);
  if (bytes === null) throw new Error('a notice in the state is not base64');
  return { headers, value: bytes, leafHash: null, partition, offset: at };
}
