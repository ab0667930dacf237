import { describe, expect, it } from '@jest/globals';
import { leafHash, toHex } from '@tachograph/wire';
import type { RawRecord } from './kafka-raw.ts';
import { checkTopic, NOTHING_WRONG } from './log-checker.ts';

const LOG = 'localhost/demo/device';
const VALUES = ['a', 'b', 'c', 'd', 'e'].map((text) => Buffer.from(text));
const ACKNOWLEDGED = new Map([[LOG, VALUES]]);

describe('the checker of topics', () => {
  it('finds nothing in a topic that holds what was acknowledged', () => {
    const verdict = checkTopic(topic([0, 1, 2, 3, 4]), ACKNOWLEDGED);
    expect(verdict).toEqual({ ...NOTHING_WRONG, rawDuplicates: 0, unacknowledged: 0 });
  });

  it('counts exact repeats wherever they stand, and finds nothing wrong with them', () => {
    const verdict = checkTopic(topic([0, 1, 0, 1, 2, 3, 1, 4, 4]), ACKNOWLEDGED);
    expect(verdict).toEqual({ ...NOTHING_WRONG, rawDuplicates: 4, unacknowledged: 0 });
  });

  it('counts what is there and was never acknowledged', () => {
    const few = new Map([[LOG, VALUES.slice(0, 2)]]);
    expect(checkTopic(topic([0, 1, 2]), few)).toMatchObject({ ...NOTHING_WRONG, unacknowledged: 1 });
  });

  it.each([
    ['a hole', [0, 1, 3, 4], 2],
    ['a lost tail', [0, 1, 2, 3], 4],
    ['a lost head', [1, 2, 3, 4], 0],
  ])('finds %s', (_, indices, index) => {
    expect(checkTopic(topic(indices), ACKNOWLEDGED)).toMatchObject({
      ...NOTHING_WRONG,
      missing: [{ log: LOG, index, offset: null }],
    });
  });

  it('finds a hole before an entry that is there, also where nothing was acknowledged', () => {
    expect(checkTopic(topic([0, 2]), new Map()).missing).toEqual([{ log: LOG, index: 1, offset: null }]);
  });

  it('finds everything missing of a log that the topic does not know', () => {
    expect(checkTopic([], ACKNOWLEDGED).missing).toHaveLength(VALUES.length);
  });

  it('finds a swapped pair', () => {
    expect(checkTopic(topic([0, 2, 1, 3, 4]), ACKNOWLEDGED)).toMatchObject({
      ...NOTHING_WRONG,
      reordered: [{ log: LOG, index: 1, offset: 2 }],
    });
  });

  it('finds an entry that stands twice under different indices', () => {
    const records = topic([0, 1, 2, 3, 4]);
    records[4] = record(4, VALUES[2]!, 4);
    expect(checkTopic(records, new Map([[LOG, VALUES.slice(0, 4)]]))).toMatchObject({
      ...NOTHING_WRONG,
      doubled: [{ log: LOG, index: 4, offset: 4 }],
    });
  });

  it('finds an index that stands twice with different bytes', () => {
    const records = [...topic([0, 1, 2, 3, 4]), record(3, Buffer.from('other'), 5)];
    const found = [{ log: LOG, index: 3, offset: 5 }];
    expect(checkTopic(records, ACKNOWLEDGED)).toMatchObject({ doubled: found, altered: found });
  });

  it.each([
    ['what was acknowledged', record(1, Buffer.from('B'), 1), ACKNOWLEDGED],
    ['what its id says', { ...record(1, VALUES[1]!, 1), value: Buffer.from('B') }, new Map()],
  ])('finds bytes that are not %s', (_, changed, acknowledged) => {
    expect(checkTopic([record(0, VALUES[0]!, 0), changed], acknowledged).altered).toEqual([
      { log: LOG, index: 1, offset: 1 },
    ]);
  });

  it('finds a log in two partitions', () => {
    const [last, ...rest] = topic([0, 1, 2, 3, 4]).reverse();
    const records = [...rest.reverse(), { ...last!, partition: 1 }];
    expect(checkTopic(records, ACKNOWLEDGED).scattered).toEqual([{ log: LOG, index: 4, offset: 4 }]);
  });

  it('refuses records that say neither log nor index', () => {
    const [entry] = topic([0]);
    expect(() => checkTopic([{ ...entry!, headers: {} }], ACKNOWLEDGED)).toThrow('without a log');
    expect(() => checkTopic([{ ...entry!, headers: { ce_source: LOG } }], ACKNOWLEDGED)).toThrow('no index');
  });
});

function topic(indices: readonly number[]): RawRecord[] {
  return indices.map((index, offset) => record(index, VALUES[index]!, offset));
}

function record(index: number, value: Buffer, offset: number): RawRecord {
  const hash = toHex(leafHash(new Uint8Array(value))).slice(0, 12);
  const headers = {
    ce_id: `device/${index}/${hash}`,
    ce_source: LOG,
    ce_sequence: String(index).padStart(16, '0'),
  };
  return { partition: 0, offset, key: 'demo/device', value, headers };
}
