import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  openEmbeddedLog,
  openSqlite,
  PartitionLost,
  type EmbeddedLog,
  type EmbeddedLogOptions,
} from '@tachograph/event-log';
import { describeEventLogContract } from '../../../test/contracts/event-log.contract.ts';
import {
  allRecords,
  appendAll,
  NO_DEADLINE,
  numbered,
  RecordingHandler,
} from '../../../test/contracts/event-log-records.ts';

describeEventLogContract('the embedded log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tachograph-log-'));
  const logs: EmbeddedLog[] = [];
  const open = async (): Promise<EmbeddedLog> => {
    const log = await openEmbeddedLog({ file: join(folder, 'log.sqlite'), leaseMs: 300, pollMs: 20 });
    logs.push(log);
    return log;
  };
  return {
    log: await open(),
    reopen: open,
    destroy: async () => {
      for (const log of logs) await log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

describe('the embedded log', () => {
  let folder: string;
  let logs: EmbeddedLog[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tachograph-log-'));
    logs = [];
  });
  afterEach(async () => {
    for (const log of logs) await log.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    const log = await openEmbeddedLog({ file: join(folder, 'log.sqlite'), pollMs: 20, ...options });
    logs.push(log);
    return log;
  }

  it('has four partitions unless told otherwise, and keeps the number it was made with', async () => {
    expect((await (await open()).describe()).partitions).toBe(4);
    expect((await (await open({ partitions: 4 })).describe()).partitions).toBe(4);
    await expect(open({ partitions: 5 })).rejects.toThrow('made with 4 partitions');
    expect((await (await open({ file: join(folder, 'two'), partitions: 2 })).describe()).partitions).toBe(2);
    expect((await (await open({ file: join(folder, 'two') })).describe()).partitions).toBe(2);
    await expect(open({ file: join(folder, 'none'), partitions: 0 })).rejects.toThrow(RangeError);
  });

  it('refuses a file that is not a log of its version', async () => {
    const database = openSqlite(join(folder, 'other'));
    database.exec('PRAGMA user_version = 77');
    database.close();
    await expect(open({ file: join(folder, 'other') })).rejects.toThrow('unknown version');
  });

  it('hands a reader what another process appends', async () => {
    const [reading, appending] = [await open(), await open()];
    const handler = new RecordingHandler();
    const end = new AbortController();
    const run = (await reading.openGroup('g')).run(handler, end.signal);
    await handler.until(() => handler.owned.size === 4);
    await appendAll(appending, 2, numbered(3));
    await handler.until(() => handler.texts(2).length === 3);
    end.abort();
    await run;
  });

  it('gives the partitions of a frozen reader to another one, and refuses what the frozen one commits', async () => {
    let hours = 0;
    const [frozen, other] = [await open(), await open({ now: () => Date.now() + hours * 3_600_000 })];
    await appendAll(frozen, 0, numbered(5));
    const [before, after] = [new RecordingHandler(), new RecordingHandler()];
    const end = new AbortController();
    const [first, second] = [await frozen.openGroup('g'), await other.openGroup('g')];
    const firstRun = first.run(before, end.signal);
    await before.until(() => before.texts(0).length === 5);
    // For the other one, the first has given no sign for an hour.
    hours = 1;
    const secondRun = second.run(after, end.signal);
    await after.until(() => after.texts(0).length === 5);
    await expect(first.commit(0, 5, new Map([['k', 'frozen']]))).rejects.toThrow(PartitionLost);
    await second.commit(0, 5, new Map([['k', 'other']]));
    expect((await first.load(0, ['k'])).get('k')).toBe('other');
    end.abort();
    await Promise.all([firstRun, secondRun]);
  });

  it('gives the partitions of a reader that was killed to its next life at once, whatever the lease', async () => {
    const dead = await open({ leaseMs: 3_600_000 });
    await appendAll(dead, 0, numbered(10));
    const [deadHandler, handler, end] = [
      new RecordingHandler(),
      new RecordingHandler(),
      new AbortController(),
    ];
    // As if killed: its rows stay, and nothing of it runs on. A frozen one differs only in that it wakes.
    const earlier = await dead.openGroup('g', { instance: 'folder' });
    const earlierRun = earlier.run(deadHandler, end.signal);
    await deadHandler.until(() => deadHandler.texts(0).length === 10);
    await earlier.commit(0, 3, new Map([['k', 'before']]));

    const later = await (await open({ leaseMs: 3_600_000 })).openGroup('g', { instance: 'folder' });
    const laterRun = later.run(handler, end.signal);
    await handler.until(() => handler.owned.size === 4 && handler.texts(0).length === 7);
    expect(handler.positions.get(0)).toEqual([3]);
    await expect(earlier.commit(0, 9, new Map([['k', 'frozen']]))).rejects.toThrow(PartitionLost);
    await later.commit(0, 5, new Map([['l', 'later']]));
    expect(Object.fromEntries(await later.load(0, ['k', 'l']))).toEqual({ k: 'before', l: 'later' });
    end.abort();
    await Promise.all([earlierRun, laterRun]);
  });

  it('ends a reader that finds a later life of its name, and leaves a reader of another name alone', async () => {
    const log = await open({ leaseMs: 3_600_000 });
    const end = new AbortController();
    const run = async (instance: string) => {
      const [handler, reader] = [new RecordingHandler(), await log.openGroup('g', { instance })];
      const ended = reader.run(handler, end.signal).then(
        () => 'ended',
        (error: Error) => error.message,
      );
      await handler.until(() => handler.owned.size > 0);
      return { handler, ended };
    };
    const first = await run('a');
    const other = await run('ab');
    const second = await run('a');
    expect(await first.ended).toContain('a later reader of the same name');
    await second.handler.until(() => second.handler.owned.size === 2 && other.handler.owned.size === 2);
    end.abort();
    expect(await Promise.all([other.ended, second.ended])).toEqual(['ended', 'ended']);
  });

  it('is ambiguous when the file cannot be written, and appends again when it can', async () => {
    const log = await open();
    const blocker = openSqlite(join(folder, 'log.sqlite'));
    blocker.exec("CREATE TRIGGER no BEFORE INSERT ON record_0 BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    expect(await log.append(0, numbered(2), NO_DEADLINE())).toMatchObject({ kind: 'ambiguous' });
    blocker.exec('DROP TRIGGER no');
    blocker.close();
    expect(await log.append(0, numbered(2), NO_DEADLINE())).toEqual({ kind: 'appended', baseOffset: 0 });
  });

  it('trims whole appends by age, and never hands out an offset again', async () => {
    let nowMs = 1_000;
    const log = await open({ now: () => nowMs });
    await appendAll(log, 0, numbered(3));
    nowMs = 2_000;
    await appendAll(log, 0, numbered(4));
    const nothing = { oldest: 0, removed: 0, heldBack: false };
    nowMs = 2_500;
    const trimmed = await log.trim({ ageMsMax: 1_000 });
    expect(trimmed).toEqual([{ oldest: 3, removed: 3, heldBack: false }, nothing, nothing, nothing]);
    expect(await log.offsets(0)).toEqual({ oldest: 3, next: 7 });
    nowMs = 9_000;
    await log.trim({ ageMsMax: 1_000 });
    expect(await log.offsets(0)).toEqual({ oldest: 7, next: 7 });
    expect(await appendAll(log, 0, numbered(1))).toBe(7);
    expect((await log.trim({ ageMsMax: 1_000 }))[0]).toEqual({ oldest: 7, removed: 0, heldBack: false });
  });

  it('trims by bytes, in several transactions where it is much', async () => {
    const log = await open();
    for (let i = 0; i < 12; i++) await appendAll(log, 0, numbered(1_000, 'x'.repeat(100)));
    const [trimmed] = await log.trim({ bytesMax: 200_000 });
    expect(trimmed).toEqual({ oldest: 11_000, removed: 11_000, heldBack: false });
    expect(await allRecords(log, 0)).toHaveLength(1_000);
  });

  it('keeps what a group has not read, until the group is forgotten', async () => {
    const log = await open();
    for (let i = 0; i < 3; i++) await appendAll(log, 0, numbered(10));
    const handler = new RecordingHandler();
    const end = new AbortController();
    const reader = await log.openGroup('g');
    const run = reader.run(handler, end.signal);
    await handler.until(() => handler.texts(0).length === 30);
    await reader.commit(0, 15, new Map());
    end.abort();
    await run;
    expect((await log.trim({ bytesMax: 0 }))[0]).toEqual({ oldest: 10, removed: 10, heldBack: true });
    await log.forgetGroup('g');
    expect((await log.trim({ bytesMax: 0 }))[0]).toEqual({ oldest: 30, removed: 20, heldBack: false });
    expect(await reader.load(0, ['k'])).toEqual(new Map());
  });

  it('keeps what a group has read and will read again, as its last commit says', async () => {
    const log = await open();
    for (let i = 0; i < 3; i++) await appendAll(log, 0, numbered(10));
    const handler = new RecordingHandler();
    const end = new AbortController();
    const reader = await log.openGroup('g');
    const run = reader.run(handler, end.signal);
    await handler.until(() => handler.texts(0).length === 30);
    await reader.commit(0, 30, new Map(), 12);
    expect((await log.trim({ bytesMax: 0 }))[0]).toEqual({ oldest: 10, removed: 10, heldBack: true });
    await reader.commit(0, 30, new Map());
    expect((await log.trim({ bytesMax: 0 }))[0]).toMatchObject({ removed: 0, heldBack: true });
    await reader.commit(0, 30, new Map(), 30);
    end.abort();
    await run;
    expect((await log.trim({ bytesMax: 0 }))[0]).toEqual({ oldest: 30, removed: 20, heldBack: false });
  });
});
