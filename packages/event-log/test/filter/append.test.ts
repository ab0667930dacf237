import { describe, expect, it } from '@jest/globals';
import { LIMITS, utf8 } from '@tachograph/wire';
import { AppendAssembler, HEADER, type AssembledRun, type StoredRecord } from '../../src/index.ts';
import { originOfDevice, recordsOf, type TestAppend } from './topic.ts';

const append: TestAppend = {
  origin: originOfDevice(0),
  leaves: ['a', 'b', 'c'],
  from: 0,
  vouch: 'none',
};

function assemble(records: readonly StoredRecord[], assembler = new AppendAssembler()): string[] {
  return records.flatMap((record) => assembler.push(record)).map(describeRun);
}

function describeRun(run: AssembledRun): string {
  if (run.kind === 'append') return `append of ${run.append.records.length}`;
  return `${run.broken.records.length} broken: ${run.broken.reason}`;
}

function withHeader(record: StoredRecord, name: string, value: string | null): StoredRecord {
  const headers = new Map(Object.entries(record.headers));
  if (value === null) headers.delete(name);
  else headers.set(name, value);
  return { ...record, headers: Object.fromEntries(headers) };
}

describe('AppendAssembler', () => {
  const whole = recordsOf(append, 10);
  const [first, second, last] = [whole[0]!, whole[1]!, whole[2]!];

  it('puts an append together, and tells where one is open', () => {
    const assembler = new AppendAssembler();
    expect(assembler.openSince).toBeNull();
    expect(assemble([first, second], assembler)).toEqual([]);
    expect(assembler.openSince).toBe(10);
    expect(assemble([last], assembler)).toEqual(['append of 3']);
    expect(assembler.openSince).toBeNull();
  });

  it('takes an append of one record', () => {
    expect(assemble(recordsOf({ ...append, leaves: ['a'] }, 0))).toEqual(['append of 1']);
  });

  it('gives up an append that another one interrupts, also without a start of its own', () => {
    const stranger = withHeader(second, HEADER.source, originOfDevice(1));
    const unended = 'broken: the append has no last record';
    expect(assemble([first, ...whole])).toEqual([`1 ${unended}`, 'append of 3']);
    expect(assemble([first, second, stranger, ...whole])).toEqual([
      `2 ${unended}`,
      '1 broken: the record stands outside an append',
      'append of 3',
    ]);
  });

  it('gives up records that stand outside an append, one by one', () => {
    const outside = '1 broken: the record stands outside an append';
    expect(assemble([second, last, ...whole])).toEqual([outside, outside, 'append of 3']);
  });

  it.each([
    ['an edge that is no range', withHeader(first, HEADER.edge, 'AAAA'), last],
    ['an edge that is not base64', withHeader(first, HEADER.edge, '!'), last],
    ['no origin', withHeader(first, HEADER.source, null), withHeader(last, HEADER.source, null)],
    ['a checkpoint that is none', first, withHeader(last, HEADER.checkpoint, 'AAAA')],
    [
      'the checkpoint of another log',
      first,
      withHeader(
        last,
        HEADER.checkpoint,
        recordsOf({ ...append, origin: originOfDevice(1) }, 0)[2]!.headers[HEADER.checkpoint]!,
      ),
    ],
  ])('gives up an append with %s', (_what, start, end) => {
    const middle =
      start.headers[HEADER.source] === undefined ? withHeader(second, HEADER.source, null) : second;
    expect(assemble([start, middle, end])).toEqual(['3 broken: the edge or the checkpoint is malformed']);
  });

  it('takes no receipt that is about another log', () => {
    const vouched: TestAppend = { ...append, from: 1, vouch: 'good' };
    const other = recordsOf({ ...vouched, origin: originOfDevice(1) }, 0)[0]!.headers[HEADER.receipt]!;
    const receiptIn = (records: readonly StoredRecord[]): number | null | undefined => {
      const assembler = new AppendAssembler();
      const [run] = records.flatMap((record) => assembler.push(record));
      return run?.kind === 'append' ? (run.append.receipt?.size ?? null) : undefined;
    };
    const [start, end] = recordsOf(vouched, 0);
    expect(receiptIn([start!, end!])).toBe(1);
    expect(receiptIn([withHeader(start!, HEADER.receipt, other), end!])).toBeNull();
  });

  it('holds no more records than an append can have', () => {
    const assembler = new AppendAssembler();
    const endless = Array.from({ length: LIMITS.appendLeavesMax - 1 }, () => ({
      ...second,
      value: utf8('x'),
    }));
    expect(assemble([first, ...endless], assembler)).toEqual([
      `${LIMITS.appendLeavesMax} broken: the append is longer than an append can be`,
    ]);
    expect(assembler.openSince).toBeNull();
  });

  it('takes the longest append that there can be', () => {
    const leaves = Array.from({ length: LIMITS.appendLeavesMax }, (_, i) => `${i}`);
    expect(assemble(recordsOf({ ...append, leaves }, 0))).toEqual([`append of ${LIMITS.appendLeavesMax}`]);
  });
});
