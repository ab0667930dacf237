import { describe, expect, it } from '@jest/globals';
import { LIMITS, rootOf } from '@tachograph/wire';
import {
  deterministicEventId,
  forkEventId,
  gapEventId,
  LogFilter,
  type FilteredRun,
  type StoredRecord,
} from '../../src/index.ts';
import { originOfDevice, rangeOf, receiptSeconds, recordsOf, type TestAppend } from './topic.ts';

const origin = originOfDevice(0);

/** A filter with its storage, which writes down what it loads and stores. */
class Fixture {
  readonly state = new Map<string, string>();
  loads = 0;
  receiptsVerified = 0;
  #offset = 0;
  readonly #filter: LogFilter;

  constructor(devicesMax = 10) {
    const load = async (_partition: number, keys: readonly string[]): Promise<Map<string, string>> => {
      this.loads++;
      return new Map(keys.flatMap((key) => (this.state.has(key) ? [[key, this.state.get(key)!]] : [])));
    };
    this.#filter = new LogFilter({
      partition: 0,
      reader: { load },
      devicesMax,
      receiptSeconds: (checkpoint) => {
        this.receiptsVerified++;
        return receiptSeconds(checkpoint);
      },
    });
  }

  /** Reads one append and commits it. */
  async read(append: TestAppend): Promise<FilteredRun> {
    return this.readRecords(recordsOf(append, this.#offset));
  }

  async readRecords(records: readonly StoredRecord[]): Promise<FilteredRun> {
    const batch = await this.#filter.read(records);
    this.#offset = records.at(-1)!.offset + 1;
    for (const [key, value] of batch.changes) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, value);
    }
    this.#filter.committed(batch.next);
    return batch.runs[0]!;
  }

  windowRows(): string[] {
    return [...this.state.keys()].filter((key) => key.startsWith('w|'));
  }
}

function leavesUpTo(size: number, mark = ''): string[] {
  return Array.from({ length: size }, (_, i) => `${mark}${i}`);
}

function appendOf(from: number, to: number, vouch: TestAppend['vouch'] = 'none'): TestAppend {
  return { origin, leaves: leavesUpTo(to), from, vouch };
}

describe('LogFilter', () => {
  it('knows the last 4,000 leaves: what begins there is a duplicate or a fork, what begins before is stale', async () => {
    const fixture = new Fixture();
    for (let from = 0; from < 6_000; from += 1_000) await fixture.read(appendOf(from, from + 1_000));
    expect((await fixture.read(appendOf(2_000, 3_000))).outcome).toBe('duplicate');
    expect((await fixture.read(appendOf(2_500, 3_000))).outcome).toBe('duplicate');
    expect((await fixture.read(appendOf(1_999, 3_000))).outcome).toBe('stale');
    const clone = { ...appendOf(2_000, 2_003), leaves: [...leavesUpTo(2_001), 'clone', 'clone'] };
    expect(await fixture.read(clone)).toMatchObject({
      outcome: 'fork',
      alarms: [{ kind: 'log.forked', indices: { from: 2_001, to: 2_003 } }],
    });
    expect((await fixture.read({ ...clone, from: 1_000 })).outcome).toBe('stale');
    expect(fixture.windowRows()).toHaveLength(4);
  });

  it('keeps few rows for a device that sends its events one by one, and all of the window', async () => {
    const fixture = new Fixture();
    for (let size = 0; size < 300; size++) await fixture.read(appendOf(size, size + 1));
    expect(fixture.windowRows()).toHaveLength(Math.ceil(300 / 128));
    for (const from of [0, 127, 128, 290, 299])
      expect((await fixture.read(appendOf(from, from + 1))).outcome).toBe('duplicate');
  });

  it('keeps at least the leaves of the longest append, however the window is cut', async () => {
    const fixture = new Fixture();
    let size = 0;
    for (const count of [127, 2_000, 127, 2_000, 1]) await fixture.read(appendOf(size, (size += count)));
    const overlapping = await fixture.read(appendOf(size - LIMITS.appendLeavesMax + 1, size + 1));
    expect(overlapping).toMatchObject({ outcome: 'accepted', counts: { delivered: 1, duplicates: 1_999 } });
  });

  it('loads a device once, and asks for no cosignature, as long as its log goes on', async () => {
    const fixture = new Fixture();
    for (let size = 0; size < 50; size++) await fixture.read(appendOf(size, size + 1, 'good'));
    expect(fixture).toMatchObject({ loads: 1, receiptsVerified: 0 });
  });

  it('forgets the devices that were not heard of for longest, and loads them again', async () => {
    const fixture = new Fixture(2);
    const devices = [0, 1, 2].map(originOfDevice);
    for (const device of devices) await fixture.read({ ...appendOf(0, 2), origin: device });
    const before = fixture.loads;
    expect((await fixture.read({ ...appendOf(2, 3), origin: devices[2]! })).outcome).toBe('accepted');
    expect(fixture.loads).toBe(before);
    expect((await fixture.read({ ...appendOf(2, 3), origin: devices[0]! })).outcome).toBe('accepted');
    expect(fixture.loads).toBeGreaterThan(before);
  });

  it('starts a device that it never saw at a vouched edge, without an alarm, and nowhere else', async () => {
    const fixture = new Fixture();
    expect((await fixture.read(appendOf(4, 6))).outcome).toBe('stale');
    expect((await fixture.read(appendOf(4, 6, 'forged'))).outcome).toBe('stale');
    expect((await fixture.read(appendOf(4, 6, 'other'))).outcome).toBe('stale');
    expect(fixture.state.size).toBe(0);
    expect(await fixture.read(appendOf(4, 6, 'good'))).toMatchObject({ outcome: 'accepted', alarms: [] });
    expect((await fixture.read(appendOf(3, 6))).outcome).toBe('stale');
    expect((await fixture.read(appendOf(4, 6))).outcome).toBe('duplicate');
  });

  it('raises one gap for a lost tail, and goes on behind it', async () => {
    const fixture = new Fixture();
    await fixture.read(appendOf(0, 3));
    const restored = appendOf(7, 9, 'good');
    expect(await fixture.read(restored)).toMatchObject({
      outcome: 'accepted',
      counts: { delivered: 2 },
      alarms: [
        {
          kind: 'log.gap',
          id: gapEventId(origin, 7, rootOf(rangeOf(leavesUpTo(7)))),
          indices: { from: 3, to: 7 },
        },
      ],
    });
    expect(await fixture.read(restored)).toMatchObject({ outcome: 'duplicate', alarms: [] });
    expect(await fixture.read(appendOf(3, 7))).toMatchObject({ outcome: 'stale', alarms: [] });
    expect(await fixture.read(appendOf(9, 10))).toMatchObject({ outcome: 'accepted', alarms: [] });
  });

  it('goes on from a history that ingest vouches for although this reader saw another one', async () => {
    const fixture = new Fixture();
    await fixture.read(appendOf(0, 8));
    const other = [...leavesUpTo(5), 'x', 'y', 'z', 'new'];
    // Below the edge only subtrees are known: the one of leaves 4 to 5 is the first that differs.
    expect(await fixture.read({ origin, leaves: other, from: 6, vouch: 'good' })).toMatchObject({
      outcome: 'accepted',
      counts: { delivered: 3 },
      alarms: [{ kind: 'log.gap', indices: { from: 4, to: 6 } }],
    });
    const next = { origin, leaves: [...other, 'newer'], from: 9, vouch: 'none' as const };
    expect(await fixture.read(next)).toMatchObject({ outcome: 'accepted', alarms: [] });
  });

  it('stays with the history that ingest vouched for last when a zombie brings the one before', async () => {
    const fixture = new Fixture();
    await fixture.read(appendOf(0, 8));
    const other = [...leavesUpTo(5), 'x', 'y', 'z', 'new'];
    const rewritten: TestAppend = { origin, leaves: other, from: 6, vouch: 'good', cosignedSeconds: 200 };
    expect((await fixture.read(rewritten)).outcome).toBe('accepted');
    const late = { ...appendOf(7, 9, 'good'), cosignedSeconds: 100 };
    expect(await fixture.read(late)).toMatchObject({ outcome: 'fork', delivered: [] });
    const ahead = { ...appendOf(12, 14, 'good'), cosignedSeconds: 199 };
    expect(await fixture.read(ahead)).toMatchObject({ outcome: 'stale', delivered: [], alarms: [] });
    const next = { ...rewritten, leaves: [...other, 'newer'], from: 9, vouch: 'none' as const };
    expect(await fixture.read(next)).toMatchObject({ outcome: 'accepted', alarms: [] });
    // What ingest vouches for later is adopted all the same.
    expect((await fixture.read({ ...late, cosignedSeconds: 201 })).outcome).toBe('accepted');
  });

  it('calls it a fork when nobody vouches, and raises it once', async () => {
    const fixture = new Fixture();
    await fixture.read(appendOf(0, 8));
    const clone: TestAppend = { origin, leaves: [...leavesUpTo(7), 'x', 'y'], from: 8, vouch: 'forged' };
    const id = forkEventId(origin, 9, rootOf(rangeOf(clone.leaves)));
    expect(await fixture.read(clone)).toMatchObject({
      outcome: 'fork',
      delivered: [],
      counts: { forked: 1 },
      alarms: [{ kind: 'log.forked', id, indices: { from: 0, to: 9 } }],
    });
    expect(await fixture.read(clone)).toMatchObject({ outcome: 'fork', counts: { forked: 1 }, alarms: [] });
    expect((await fixture.read(appendOf(8, 9))).outcome).toBe('accepted');
  });

  it('withholds and reports records that do not reproduce their checkpoint', async () => {
    const fixture = new Fixture();
    const [first, second] = recordsOf(appendOf(0, 2), 0);
    const swapped = [
      { ...first!, value: second!.value },
      { ...second!, value: first!.value },
    ];
    expect(await fixture.readRecords(swapped)).toMatchObject({
      outcome: 'invalid',
      delivered: [],
      counts: { invalid: 2 },
      alarms: [{ kind: 'log.invalid', origin, records: 2 }],
    });
    expect(fixture.state.size).toBe(0);
  });

  it('says so when its stored state is damaged', async () => {
    for (const damage of ['[]', '["AAAA",[],[]]', 'no json']) {
      const fixture = new Fixture();
      fixture.state.set(`h|${origin}`, damage);
      await expect(fixture.read(appendOf(0, 1))).rejects.toThrow();
    }
    const writing = new Fixture();
    await writing.read(appendOf(0, 3));
    const reading = new Fixture();
    for (const [key, value] of writing.state) if (key.startsWith('h|')) reading.state.set(key, value);
    await expect(reading.read(appendOf(0, 3))).rejects.toThrow('missing');
  });
});

describe('deterministicEventId', () => {
  it('is a UUID of version 8 that depends on every part and on where parts end', () => {
    const id = deterministicEventId('a', 1, 'b');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(deterministicEventId('a', 1, 'b')).toBe(id);
    const others = [
      deterministicEventId('a1', 'b'),
      deterministicEventId('a', 1),
      deterministicEventId('a', 1, 'c'),
    ];
    expect(new Set([id, ...others]).size).toBe(4);
  });

  it('stays the same for ever for a fork', () => {
    // sha256sum of the kind, the origin, the size and the root in base64, each with a line feed.
    expect(forkEventId('audit.example.com/acme/d', 7, new Uint8Array(32))).toBe(
      'd21e9792-bd2b-84cd-86e3-ce4ea0caaf36',
    );
  });
});
