import { describe, expect, it } from '@jest/globals';
import { PartitionLost, type EventLog, type GroupReader } from '@tachograph/event-log';
import type { OpenedLog } from './event-log.contract.ts';
import { appendAll, Gate, numbered, RecordingHandler, valueText } from './event-log-records.ts';

/** A reader that runs until `stop` is called, which answers when the run has ended. */
class Running {
  readonly reader: GroupReader;
  readonly handler: RecordingHandler;
  readonly #abort = new AbortController();
  readonly ended: Promise<void>;

  constructor(reader: GroupReader, handler: RecordingHandler) {
    this.reader = reader;
    this.handler = handler;
    this.ended = reader.run(handler, this.#abort.signal);
    // A test that expects the rejection awaits `ended` itself; this keeps an early one from being unhandled.
    this.ended.catch(() => undefined);
  }

  stop(): Promise<void> {
    this.#abort.abort();
    return this.ended;
  }
}

async function start(log: EventLog, group: string, handler = new RecordingHandler()): Promise<Running> {
  return new Running(await log.openGroup(group), handler);
}

/** What `port.ts` promises of `GroupReader`. */
export function describeGroupContract(opened: () => OpenedLog): void {
  describe('a group', () => {
    describeOneReader(opened);
    describeCommits(opened);
    describeSharing(opened);
  });
}

function describeOneReader(opened: () => OpenedLog): void {
  it('is handed every record of every partition in order, also those appended later', async () => {
    const { log } = opened();
    const { partitions } = await log.describe();
    for (let p = 0; p < partitions; p++) await appendAll(log, p, numbered(30, `${p}.`));
    const run = await start(log, 'g');
    const { handler } = run;
    await handler.until(() => handler.records.length === 30 * partitions);
    for (let p = 0; p < partitions; p++) await appendAll(log, p, numbered(5, `later ${p}.`));
    await handler.until(() => handler.records.length === 35 * partitions);
    for (let p = 0; p < partitions; p++) {
      expect(handler.texts(p)).toEqual(
        [...numbered(30, `${p}.`), ...numbered(5, `later ${p}.`)].map(valueText),
      );
      expect(handler.positions.get(p)).toEqual([0]);
    }
    await run.stop();
  });

  it('gets one batch of a partition at a time, and ends only after the running one', async () => {
    const { log } = opened();
    for (let i = 0; i < 5; i++) await appendAll(log, 0, numbered(1, `${i}.`));
    const gate = new Gate();
    let [running, most, settled] = [0, 0, false];
    const entered = new Gate();
    const handler = new RecordingHandler(async () => {
      most = Math.max(most, ++running);
      entered.open();
      await gate.opened;
      running--;
    });
    const run = await start(log, 'g', handler);
    await entered.opened;
    for (let i = 0; i < 5; i++) await appendAll(log, 0, numbered(1, `late ${i}.`));
    const ended = run.stop().then(() => (settled = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    gate.open();
    await ended;
    expect(most).toBe(1);
  });

  it('ends with the error of a handler, and starts again from the last commit', async () => {
    const { log } = opened();
    await appendAll(log, 0, numbered(10));
    const failing = new RecordingHandler(async () => {
      throw new Error('the disk is full');
    });
    await expect((await start(log, 'g', failing)).ended).rejects.toThrow('the disk is full');
    const run = await start(log, 'g');
    await run.handler.until(() => run.handler.texts(0).length === 10);
    await run.stop();
  });

  it('hands out again from the last commit when a handler says that the partition was lost', async () => {
    const { log } = opened();
    await appendAll(log, 0, numbered(10));
    let calls = 0;
    const handler = new RecordingHandler(async (partition) => {
      if (calls++ === 0) throw new PartitionLost(partition);
    });
    const run = await start(log, 'g', handler);
    await handler.until(() => handler.texts(0).length === 10);
    expect(handler.lost).toEqual([0]);
    expect(handler.positions.get(0)).toEqual([0, 0]);
    await run.stop();
  });
}

function describeCommits(opened: () => OpenedLog): void {
  it('goes on from its position with its state, in another process and after a crash', async () => {
    const { log, reopen } = opened();
    const base = await appendAll(log, 0, numbered(10));
    const first = await start(log, 'g');
    await first.handler.until(() => first.handler.texts(0).length === 10);
    const state = new Map([
      ['h|a', '{"ü":1}'],
      ['w|a|0', ''],
      ['gone', 'x'],
    ]);
    await first.reader.commit(0, base + 3, state);
    await first.reader.commit(
      0,
      base + 6,
      new Map([
        ['h|a', 'newer'],
        ['gone', null],
      ]),
    );
    await first.stop();

    const second = await start(await reopen(), 'g');
    await second.handler.until(() => second.handler.texts(0).length === 4);
    expect(second.handler.texts(0)).toEqual(['6', '7', '8', '9']);
    expect(second.handler.positions.get(0)).toEqual([base + 6]);
    const loaded = await second.reader.load(0, ['h|a', 'w|a|0', 'gone', 'never']);
    expect(Object.fromEntries(loaded)).toEqual(
      Object.fromEntries([
        ['h|a', 'newer'],
        ['w|a|0', ''],
      ]),
    );
    await second.stop();
  });

  it('keeps positions and state of groups and of partitions apart', async () => {
    const { log } = opened();
    const base = [await appendAll(log, 0, numbered(4)), await appendAll(log, 1, numbered(4))];
    const [one, other] = [await start(log, 'one'), await start(log, 'other')];
    await one.handler.until(() => one.handler.owned.has(0) && one.handler.owned.has(1));
    await one.reader.commit(0, base[0]! + 2, new Map([['k', 'one 0']]));
    await one.reader.commit(1, base[1]! + 3, new Map([['k', 'one 1']]));
    await other.handler.until(() => other.handler.owned.has(0));
    expect((await one.reader.load(0, ['k'])).get('k')).toBe('one 0');
    expect((await one.reader.load(1, ['k'])).get('k')).toBe('one 1');
    expect((await other.reader.load(0, ['k'])).size).toBe(0);
    expect(other.handler.positions.get(0)).toEqual([0]);
    await Promise.all([one.stop(), other.stop()]);
  });

  it('never moves a position back, and stores nothing of a commit that it refuses', async () => {
    const { log } = opened();
    const base = await appendAll(log, 0, numbered(10));
    const run = await start(log, 'g');
    const { reader, handler } = run;
    await handler.until(() => handler.owned.has(0));
    await reader.commit(0, base + 6, new Map([['k', 'six']]));
    await expect(reader.commit(0, base + 5, new Map([['k', 'five']]))).rejects.toThrow(PartitionLost);
    expect((await reader.load(0, ['k'])).get('k')).toBe('six');
    await reader.commit(0, base + 6, new Map([['k', 'six again']]));
    expect((await reader.load(0, ['k'])).get('k')).toBe('six again');
    await run.stop();
  });

  it('takes no commit from a reader that does not run', async () => {
    const { log } = opened();
    const base = await appendAll(log, 0, numbered(2));
    const reader = await log.openGroup('g');
    await expect(reader.commit(0, base + 1, new Map())).rejects.toThrow(PartitionLost);
    const run = new Running(reader, new RecordingHandler());
    await run.handler.until(() => run.handler.owned.has(0));
    await run.stop();
    await expect(reader.commit(0, base + 1, new Map([['k', 'late']]))).rejects.toThrow(PartitionLost);
    expect((await reader.load(0, ['k'])).size).toBe(0);
  });
}

function describeSharing(opened: () => OpenedLog): void {
  it('shares the partitions among its readers, and gives those of one that leaves to the others', async () => {
    const { log, reopen } = opened();
    const { partitions } = await log.describe();
    const first = await start(log, 'g');
    await first.handler.until(() => first.handler.owned.size === partitions);
    const second = await start(await reopen(), 'g');
    await second.handler.until(() => second.handler.owned.size > 0);
    expect(first.handler.owned.size).toBeLessThan(partitions);
    for (const partition of second.handler.owned) expect(first.handler.owned.has(partition)).toBe(false);

    await first.stop();
    await second.handler.until(() => second.handler.owned.size === partitions);
    await second.stop();
  });

  it('refuses the commit of a partition that went to another reader, which goes on from the last commit', async () => {
    const { log, reopen } = opened();
    const { partitions } = await log.describe();
    const bases: number[] = [];
    for (let p = 0; p < partitions; p++) bases.push(await appendAll(log, p, numbered(10)));
    const first = await start(log, 'g');
    await first.handler.until(() => first.handler.records.length === 10 * partitions);
    for (let p = 0; p < partitions; p++)
      await first.reader.commit(p, bases[p]! + 4, new Map([['k', `first ${p}`]]));

    const second = await start(await reopen(), 'g');
    await second.handler.until(() => second.handler.owned.size > 0);
    const [moved] = [...second.handler.owned];
    const late = first.reader.commit(moved!, bases[moved!]! + 10, new Map([['k', 'zombie']]));
    await expect(late).rejects.toThrow(PartitionLost);
    await second.handler.until(() => second.handler.texts(moved!).length === 6);
    expect(second.handler.positions.get(moved!)).toEqual([bases[moved!]! + 4]);
    expect((await second.reader.load(moved!, ['k'])).get('k')).toBe(`first ${moved}`);
    await Promise.all([first.stop(), second.stop()]);
  });
}
