import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PartitionLost, recordBytes, type EventLog, type LogRecord } from '@tachograph/event-log';
import { describeGroupContract } from './event-log-groups.contract.ts';
import { allRecords, appendAll, numbered, NO_DEADLINE, valueText } from './event-log-records.ts';

/** A log of its own for one test. */
export type OpenedLog = {
  readonly log: EventLog;
  /** What a second process sees: another log over the same storage. The first one is not closed before. */
  readonly reopen: () => Promise<EventLog>;
  /** Closes every log that was opened, and removes the storage. */
  readonly destroy: () => Promise<void>;
};

/** What `port.ts` promises of an `EventLog` with at least two partitions, for every adapter. Nothing is skipped. */
export function describeEventLogContract(name: string, open: () => Promise<OpenedLog>): void {
  describe(`${name} keeps the contract of EventLog`, () => {
    let opened: OpenedLog;
    let log: EventLog;
    beforeEach(async () => {
      opened = await open();
      log = opened.log;
    });
    afterEach(() => opened.destroy());

    describeAppending(() => log);
    describeReading(() => opened);
    describeGroupContract(() => opened);
    it('tells a lost partition from other failures', () => {
      expect(new PartitionLost(3)).toMatchObject({ partition: 3, name: 'PartitionLost' });
    });
  });
}

function describeAppending(theLog: () => EventLog): void {
  it('starts every partition empty', async () => {
    const { partitions } = await theLog().describe();
    expect(partitions).toBeGreaterThanOrEqual(2);
    for (let p = 0; p < partitions; p++) {
      const { oldest, next } = await theLog().offsets(p);
      expect(next).toBe(oldest);
      expect(await allRecords(theLog(), p)).toEqual([]);
    }
  });

  it('gives the records of an append contiguous offsets from baseOffset on, after those of the one before', async () => {
    let expected = (await theLog().offsets(0)).next;
    for (const count of [1, 500, 3]) {
      const base = await appendAll(theLog(), 0, numbered(count, `of ${count} `));
      expect(base).toBeGreaterThanOrEqual(expected);
      expected = base + count;
      const read = (await allRecords(theLog(), 0)).slice(-count);
      expect(read.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, i) => base + i));
      expect(read.map(valueText)).toEqual(numbered(count, `of ${count} `).map(valueText));
    }
    expect((await theLog().offsets(0)).next).toBe(expected);
  });

  it('gives back keys, values and headers byte for byte', async () => {
    const records: LogRecord[] = [
      {
        key: 'acme/a',
        value: Uint8Array.from({ length: 256 }, (_, i) => i),
        headers: { ce_id: 'ü 漢 😀 "\\' },
      },
      { key: 'acme/b', value: new Uint8Array(), headers: {} },
      {
        key: '',
        value: Uint8Array.of(0),
        headers: { empty: '', tachograph_edge: 'AAAA', long: 'x'.repeat(90_000) },
      },
      { key: 'ключ', value: new Uint8Array(32 * 1024).fill(255), headers: { b: '2', a: '1' } },
    ];
    await appendAll(theLog(), 1, records);
    const read = await allRecords(theLog(), 1);
    expect(read.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(records);
    expect(read.every(({ partition }) => partition === 1)).toBe(true);
  });

  it('keeps partitions apart when all are appended to at once', async () => {
    const { partitions } = await theLog().describe();
    const each = Array.from({ length: partitions }, (_, p) => p);
    for (let round = 0; round < 5; round++)
      await Promise.all(each.map((p) => appendAll(theLog(), p, numbered(20, `${p}.${round}.`))));
    for (const p of each) {
      const expected = Array.from({ length: 5 }, (_, round) => numbered(20, `${p}.${round}.`).map(valueText));
      expect((await allRecords(theLog(), p)).map(valueText)).toEqual(expected.flat());
    }
  });

  it('rejects the one record that is too large, names it, and appends nothing', async () => {
    const { appendBytesMax } = await theLog().describe();
    const records = numbered(3);
    records[1] = { ...records[1]!, value: new Uint8Array(appendBytesMax) };
    expect(await theLog().append(0, records, NO_DEADLINE())).toMatchObject({
      kind: 'rejected',
      culprit: 1,
      fault: { code: 'ERR_LEAF_TOO_LARGE', limit: appendBytesMax },
    });
    expect(await allRecords(theLog(), 0)).toEqual([]);
    await appendAll(theLog(), 0, numbered(1, 'afterwards '));
  });

  it('rejects an append that is too large as a whole by its first record that does not fit', async () => {
    const { appendBytesMax } = await theLog().describe();
    const record = { key: 'acme/a', value: new Uint8Array(32 * 1024), headers: {} };
    const fit = Math.floor((appendBytesMax - 61) / recordBytes(record));
    const records = Array.from({ length: fit + 1 }, () => record);
    expect(await theLog().append(0, records, NO_DEADLINE())).toMatchObject({
      kind: 'rejected',
      culprit: fit,
      fault: { code: 'ERR_BODY_TOO_LARGE' },
    });
    expect(await allRecords(theLog(), 0)).toEqual([]);
    await appendAll(theLog(), 0, records.slice(0, fit));
    expect(await allRecords(theLog(), 0)).toHaveLength(fit);
  });

  it('is ambiguous when the deadline has passed, and then holds all of the records or none', async () => {
    const deadline = AbortSignal.abort(new Error('too late'));
    expect(await theLog().append(0, numbered(7), deadline)).toMatchObject({ kind: 'ambiguous' });
    expect([0, 7]).toContain((await allRecords(theLog(), 0)).length);
  });

  it('throws on a partition that there is not, and on nothing to append', async () => {
    const { partitions } = await theLog().describe();
    for (const partition of [-1, partitions, 0.5]) {
      await expect(theLog().append(partition, numbered(1), NO_DEADLINE())).rejects.toThrow(RangeError);
      await expect(theLog().offsets(partition)).rejects.toThrow(RangeError);
    }
    await expect(theLog().append(0, [], NO_DEADLINE())).rejects.toThrow(RangeError);
  });
}

function describeReading(opened: () => OpenedLog): void {
  it('reads from the first offset to before the second one', async () => {
    const { log } = opened();
    const base = await appendAll(log, 0, numbered(10));
    const texts = async (from: number, to: number): Promise<string[]> =>
      (await allRecords(log, 0, base + from, base + to)).map(valueText);
    expect(await texts(0, 10)).toEqual(numbered(10).map(valueText));
    expect(await texts(3, 5)).toEqual(['3', '4']);
    expect(await texts(3, 3)).toEqual([]);
    expect(await texts(5, 3)).toEqual([]);
    expect(await texts(9, 1_000)).toEqual(['9']);
    expect(await texts(10, 1_000)).toEqual([]);
  });

  it('reads much in batches of bounded size, none of them empty', async () => {
    const { log } = opened();
    const records = largeRecords(100);
    for (let i = 0; i < 4; i++) await appendAll(log, 0, records);
    const sizes: number[] = [];
    for await (const batch of log.readRange(0, 0, Number.MAX_SAFE_INTEGER)) sizes.push(batch.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(400);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThan(400);
  });

  it('can be left in the middle of a range, and appended to meanwhile', async () => {
    const { log } = opened();
    const records = largeRecords(100);
    await appendAll(log, 0, records);
    for await (const batch of log.readRange(0, 0, Number.MAX_SAFE_INTEGER)) {
      await appendAll(log, 0, numbered(1, 'meanwhile '));
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect((await allRecords(log, 0)).map(valueText).at(-1)).toBe('meanwhile 0');
  });

  it('holds what was acknowledged, in order, when it is opened again without having been closed', async () => {
    const { log, reopen } = opened();
    await appendAll(log, 0, numbered(10, 'before '));
    const again = await reopen();
    expect(await again.describe()).toEqual(await log.describe());
    await appendAll(again, 0, numbered(2, 'after '));
    const expected = [...numbered(10, 'before '), ...numbered(2, 'after ')].map(valueText);
    expect((await allRecords(again, 0)).map(valueText)).toEqual(expected);
    expect((await allRecords(log, 0)).map(valueText)).toEqual(expected);
  });
}

function largeRecords(count: number): LogRecord[] {
  return Array.from({ length: count }, () => ({
    key: 'acme/a',
    value: new Uint8Array(32 * 1024),
    headers: {},
  }));
}
