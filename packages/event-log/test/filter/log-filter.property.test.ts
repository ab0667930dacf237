import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { assertNever, utf8Text } from '@tachograph/wire';
import { LogFilter, type FilteredBatch, type FilteredRun, type StoredRecord } from '../../src/index.ts';
import { Oracle, RaisedOnce, type Verdict } from './oracle.ts';
import { CARRIED, originOfDevice, recordsOf, receiptSeconds, type TestAppend } from './topic.ts';

const DEVICES = 3;

/** One thing that happens to a device or in the topic. The numbers are taken modulo what there is. */
const step = fc.record({
  kind: fc.constantFrom(
    'extend', // the device goes on
    'extend',
    'overlap', // a retry that holds more than the first attempt
    'repeat', // any earlier append once more: a zombie, however late
    'prefix', // an append that ended earlier, after a crash
    'fork', // a clone with other leaves
    'fork-on', // a clone that goes on from its own leaves
    'lose', // acknowledged leaves that the topic lost, and the device's next append
    'damage', // records that do not reproduce their checkpoint
    'cut', // an append without its end
  ),
  device: fc.nat(DEVICES - 1),
  at: fc.nat(40),
  count: fc.integer({ min: 1, max: 5 }),
  lost: fc.integer({ min: 1, max: 4 }),
  carried: fc.boolean(),
  /** Seconds by which the receipt is older than the append's place in the topic. */
  age: fc.constantFrom(0, 0, 0, 5),
  vouch: fc.constantFrom('none', 'good', 'good', 'forged', 'other'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Expected = {
  readonly append: TestAppend | null;
  readonly verdict: Verdict | 'invalid';
  readonly records: number;
};
type Topic = { readonly records: readonly StoredRecord[]; readonly expected: readonly Expected[] };

/** Writes the topic that `steps` describe, and asks the oracle what must come of every run in it. */
function writeTopic(steps: readonly Step[]): Topic {
  const oracle = new Oracle();
  const records: StoredRecord[] = [];
  const expected: Expected[] = [];
  const written: TestAppend[] = [];
  let unique = 0;
  const fresh = (count: number, carried = false): string[] =>
    Array.from({ length: count }, () => `${carried ? CARRIED : 'leaf '}${unique++}`);
  // The last one ends what a cut append may have left open.
  const last: Step = {
    kind: 'extend',
    device: 0,
    at: 0,
    count: 1,
    lost: 1,
    carried: false,
    age: 0,
    vouch: 'none',
  };
  for (const [i, one] of [...steps, last].entries()) {
    // What is repeated keeps the time of its receipt.
    const append = { cosignedSeconds: 10 + i - one.age, ...appendOf(one, oracle, written, fresh) };
    const whole = recordsOf(append, records.length);
    if (one.kind === 'cut' && whole.length > 1) {
      records.push(...whole.slice(0, -1));
      expected.push({ append: null, verdict: 'invalid', records: whole.length - 1 });
    } else if (one.kind === 'damage') {
      const [first, ...others] = whole;
      records.push({ ...first!, value: Uint8Array.of(...first!.value, 33) }, ...others);
      expected.push({ append, verdict: 'invalid', records: whole.length });
    } else {
      records.push(...whole);
      expected.push({ append, verdict: oracle.judge(append), records: whole.length });
      written.push(append);
    }
  }
  return { records, expected };
}

function appendOf(
  { kind, device, at, count, lost, carried, vouch }: Step,
  oracle: Oracle,
  written: readonly TestAppend[],
  fresh: (count: number, carried?: boolean) => string[],
): TestAppend {
  const origin = originOfDevice(device);
  const known = oracle.leaves(origin);
  const some = at % (known.length + 1);
  const extend = { origin, leaves: [...known, ...fresh(count, carried)], from: known.length, vouch };
  switch (kind) {
    case 'overlap':
      return { ...extend, from: some };
    case 'repeat':
      return written[at % Math.max(1, written.length)] ?? extend;
    case 'prefix':
      if (known.length === 0) return extend;
      return {
        ...extend,
        leaves: known.slice(0, Math.min(some + count, known.length)),
        from: Math.min(some, known.length - 1),
      };
    case 'fork':
      return { ...extend, leaves: [...known.slice(0, some), ...fresh(count)], from: some };
    case 'fork-on':
      return { ...extend, leaves: [...known.slice(0, some), ...fresh(lost + count)], from: some + lost };
    case 'lose':
      return { ...extend, leaves: [...known, ...fresh(lost + count)], from: known.length + lost };
    case 'extend':
    case 'damage':
    case 'cut':
      return extend;
    default:
      return assertNever(kind);
  }
}

/** The storage of one group and partition, and what a destination holds that commits with it, as a file sink does. */
class Reader {
  position = 0;
  readonly state = new Map<string, string>();
  readonly runs: FilteredRun[] = [];

  readonly load = async (_partition: number, keys: readonly string[]): Promise<Map<string, string>> =>
    new Map(keys.flatMap((key) => (this.state.has(key) ? [[key, this.state.get(key)!]] : [])));

  commit(next: number, changes: ReadonlyMap<string, string | null>, runs: readonly FilteredRun[]): void {
    expect(next).toBeGreaterThanOrEqual(this.position);
    this.position = next;
    for (const [key, value] of changes) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, value);
    }
    this.runs.push(...runs);
  }
}

/** What happens after a batch was read: commit all, or only the oldest that waits; go on reading; or die. */
type Plan = readonly { readonly size: number; readonly next: 'commit' | 'lag' | 'defer' | 'crash' }[];

const plans: fc.Arbitrary<Plan> = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: 9 }),
    next: fc.constantFrom('commit', 'lag', 'defer', 'crash'),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Reads the topic in batches, as the plan says. */
async function readTopic(
  records: readonly StoredRecord[],
  plan: Plan,
  devicesMax: number,
): Promise<FilteredRun[]> {
  const reader = new Reader();
  const start = (): LogFilter => new LogFilter({ partition: 0, reader, receiptSeconds, devicesMax });
  let [filter, at, turn] = [start(), 0, 0];
  let waiting: FilteredBatch[] = [];
  const commit = (batches: readonly FilteredBatch[]): void => {
    for (const { next, changes, runs } of batches) {
      reader.commit(next, changes, runs);
      filter.committed(next);
    }
  };
  while (at < records.length) {
    // A plan that only crashes would never end: from its second round on, every batch is committed.
    const { size, next } = plan[turn % plan.length]!;
    const action = turn < plan.length ? next : 'commit';
    turn++;
    waiting.push(await filter.read(records.slice(at, at + size)));
    at += size;
    if (action === 'crash') {
      [filter, at, waiting] = [start(), reader.position, []];
    } else if (action === 'commit' || at >= records.length) {
      commit(waiting);
      waiting = [];
    } else if (action === 'lag') {
      commit(waiting.splice(0, 1));
    }
  }
  return reader.runs;
}

const texts = (records: readonly StoredRecord[]): (string | null)[] =>
  records.map(({ value }) => utf8Text(value));

function checkRun(run: FilteredRun, { verdict, records }: Expected, raised: RaisedOnce): void {
  const { counts } = run;
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(records);
  if (verdict === 'invalid') {
    expect(run).toMatchObject({
      outcome: 'invalid',
      delivered: [],
      alarms: [{ kind: 'log.invalid', records }],
    });
    return;
  }
  expect(run.outcome).toBe(verdict.outcome);
  expect(texts(run.delivered)).toEqual(verdict.delivered.filter((leaf) => !leaf.startsWith(CARRIED)));
  expect(counts.delivered + counts.carried).toBe(verdict.delivered.length);
  if (verdict.alarm === null || !raised.isNew(run.append!.origin, verdict.alarm.id)) {
    expect(run.alarms).toEqual([]);
    return;
  }
  const { kind, id, to, fromMax } = verdict.alarm;
  expect(run.alarms).toMatchObject([{ kind, id, origin: run.append!.origin, indices: { to } }]);
  const [alarm] = run.alarms;
  // A contradiction below an edge is known by subtrees only: the alarm may begin earlier, never later.
  if (alarm?.kind !== 'log.invalid') expect(alarm?.indices.from).toBeLessThanOrEqual(fromMax);
}

describe('the log-order filter', () => {
  it('makes of any topic exactly the streams and the alarms of its rules, however it is cut, resumed and cached', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: 'max' }),
        plans,
        fc.integer({ min: 1, max: 4 }),
        async (steps, plan, devicesMax) => {
          const { records, expected } = writeTopic(steps);
          const runs = await readTopic(records, plan, devicesMax);
          expect(runs).toHaveLength(expected.length);
          const raised = new RaisedOnce();
          for (const [i, run] of runs.entries()) checkRun(run, expected[i]!, raised);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('delivers each index of a device at most once and in order, where nothing was rewritten', async () => {
    const honest = step.filter(({ kind, vouch }) => kind !== 'fork-on' || vouch !== 'good');
    await fc.assert(
      fc.asyncProperty(fc.array(honest, { maxLength: 40, size: 'max' }), plans, async (steps, plan) => {
        const runs = await readTopic(writeTopic(steps).records, plan, 2);
        const nextIndex = new Map<string, number>();
        for (const { append, counts, alarms } of runs) {
          if (append === null || counts.delivered + counts.carried === 0) continue;
          const from = append.checkpoint.size - counts.delivered - counts.carried;
          const expectedFrom = nextIndex.get(append.origin);
          const gap = alarms.find(({ kind }) => kind === 'log.gap');
          if (expectedFrom !== undefined && gap === undefined) expect(from).toBe(expectedFrom);
          if (gap?.kind === 'log.gap') expect(gap.indices).toEqual({ from: expectedFrom, to: from });
          nextIndex.set(append.origin, append.checkpoint.size);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never goes back to a history that ingest vouched for earlier than for the one adopted since', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), plans, async (steps, plan) => {
        const runs = await readTopic(writeTopic(steps).records, plan, 2);
        const adopted = new Map<string, number>();
        for (const { append, alarms } of runs) {
          if (append === null || !alarms.some(({ kind }) => kind === 'log.gap')) continue;
          const seconds = (await receiptSeconds(append.receipt!))!;
          expect(seconds).toBeGreaterThanOrEqual(adopted.get(append.origin) ?? 0);
          adopted.set(append.origin, seconds);
        }
      }),
      { numRuns: 100 },
    );
  });
});
