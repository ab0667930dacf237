import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEADER, type StoredRecord } from '@tachograph/event-log';
import { leafHash, utf8 } from '@tachograph/wire';
import type { ExportEvent } from '../../src/export-event.ts';
import { addRecords, ChunkBuilder, type Chunk, type ChunkLimits } from '../../src/feed/chunk.ts';
import {
  byRow,
  formatVerdicts,
  joined,
  NO_VERDICTS,
  parseVerdicts,
  rowsOf,
} from '../../src/feed/verdicts.ts';
import type { OffsetRange, Verdicts } from '../../src/feed/verdicts.ts';

const ALL = { tenants: '*' } as const;
const NO_LIMITS: ChunkLimits = { eventsMax: Infinity, bytesMax: Infinity };

function record(offset: number, tenant = 'acme'): StoredRecord {
  const headers = { [HEADER.tenant]: tenant, [HEADER.type]: 'item.reveal' };
  return { key: `${tenant}/d`, value: utf8(`${offset}`), headers, partition: 0, offset };
}

function notice(offset: number): ExportEvent {
  const headers = { [HEADER.id]: `notice-${offset}`, [HEADER.tenant]: 'acme' };
  return { headers, value: utf8('{}'), leafHash: null, partition: 0, offset };
}

/** Everything from `from` to before `to`, chunk by chunk. */
function readAll(
  records: readonly StoredRecord[],
  verdicts: Verdicts,
  { from, to }: OffsetRange,
  limits: ChunkLimits,
): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = from; at < to;) {
    const builder = new ChunkBuilder(ALL, limits);
    const chunk = builder.build(addRecords(builder, records, verdicts, { from: at, to }));
    expect(chunk.next).toBeGreaterThan(at);
    chunks.push(chunk);
    at = chunk.next;
  }
  return chunks;
}

const names = (events: readonly ExportEvent[]): string[] =>
  events.map(({ headers, offset }) => headers[HEADER.id] ?? String(offset));

describe('a chunk of the feed, read from the log again', () => {
  const records = Array.from({ length: 10 }, (_, i) => record(i));

  it('leaves out what was withheld, and tells notices before the record of their offset', () => {
    const verdicts = { withheld: [{ from: 2, to: 5 }], notices: [notice(2), notice(7)] };
    const [chunk] = readAll(records, verdicts, { from: 0, to: 10 }, NO_LIMITS);
    expect(names(chunk!.events)).toEqual(['0', '1', 'notice-2', '5', '6', 'notice-7', '7', '8', '9']);
    expect(chunk!.events[0]!.leafHash).toEqual(leafHash(utf8('0')));
  });

  it('tells a notice whose record retention has removed', () => {
    const verdicts = { withheld: [], notices: [notice(8)] };
    const [chunk] = readAll(records.slice(0, 5), verdicts, { from: 0, to: 10 }, NO_LIMITS);
    expect(names(chunk!.events)).toEqual(['0', '1', '2', '3', '4', 'notice-8']);
  });

  it('leaves out what a successor carried over, and tenants that the route does not ask for', () => {
    const carried = { ...record(1), headers: { ...record(1).headers, [HEADER.duplicateOf]: 'x/0/y' } };
    const builder = new ChunkBuilder({ tenants: ['acme'] }, NO_LIMITS);
    addRecords(builder, [record(0), carried, record(2, 'globex')], NO_VERDICTS, { from: 0, to: 3 });
    expect(names(builder.build(3).events)).toEqual(['0']);
  });

  it('has the same events however it is cut, and never parts those of one offset', () => {
    const range = fc
      .tuple(fc.nat(9), fc.integer({ min: 1, max: 4 }))
      .map(([from, length]) => ({ from, to: from + length }));
    const verdictsOf = fc.record({
      withheld: fc.array(range, { maxLength: 3 }).map(disjoint),
      notices: fc
        .uniqueArray(fc.nat(9), { maxLength: 4 })
        .map((offsets) => offsets.toSorted((a, b) => a - b).map(notice)),
    });
    fc.assert(
      fc.property(verdictsOf, fc.integer({ min: 1, max: 5 }), (verdicts, eventsMax) => {
        const whole = readAll(records, verdicts, { from: 0, to: 10 }, NO_LIMITS);
        const cut = readAll(records, verdicts, { from: 0, to: 10 }, { eventsMax, bytesMax: Infinity });
        expect(names(cut.flatMap(({ events }) => [...events]))).toEqual(names(whole[0]!.events));
        for (const { events } of cut) expect(events.length).toBeLessThanOrEqual(eventsMax + 1);
      }),
    );
  });
});

describe('verdicts', () => {
  it('come back from the rows of the state as they were, wherever the rows end', () => {
    const range = fc
      .tuple(fc.nat(20_000), fc.integer({ min: 1, max: 9_000 }))
      .map(([from, length]) => ({ from, to: from + length }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 6 }).map(disjoint), fc.nat(20_000), (withheld, at) => {
        const rows = byRow({ withheld, notices: [notice(at)] });
        const keys = rowsOf({ from: 0, to: 40_000 });
        const read = keys
          .map((key) => rows.get(key))
          .filter((row) => row !== undefined)
          .map((row) => parseVerdicts(formatVerdicts(row), 0))
          .reduce(joined, NO_VERDICTS);
        expect(offsetsOf(read.withheld)).toEqual(offsetsOf(withheld));
        expect(read.notices).toEqual([notice(at)]);
        for (const [row, { withheld: own }] of rows) {
          for (const one of own) expect(rowsOf(one)).toEqual([row]);
        }
      }),
    );
  });

  it.each(['[]', '{"withheld":[[1]],"notices":[]}', '{"withheld":[],"notices":[{"offset":-1}]}'])(
    'are refused where the state is damaged: %s',
    (text) => {
      expect(() => parseVerdicts(text, 0)).toThrow();
    },
  );
});

/** The ranges without those that touch an earlier one, ascending. */
function disjoint(ranges: readonly OffsetRange[]): OffsetRange[] {
  const kept: OffsetRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    if (range.from >= (kept.at(-1)?.to ?? 0)) kept.push(range);
  }
  return kept;
}

function offsetsOf(ranges: readonly OffsetRange[]): number[] {
  return ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
}
