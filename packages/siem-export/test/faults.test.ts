import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedLog, PartitionLost } from '@tachograph/event-log';
import type { EventLog, GroupReader, StateChanges } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { eventually } from '../../../test/support/eventually.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { DEFAULT_ROUTE, startExporter, type Exporter, type ExporterOptions } from '../src/index.ts';
import { systemClock } from '../src/runtime.ts';
import { FailingFiles } from './support/failing-files.ts';
import { ScriptedSink, sinkKind } from './support/scripted-sink.ts';
import { appendTo, FastClock, keepingLogger } from './support/surroundings.ts';
import { ingestSigner, TestDevice } from './support/test-device.ts';

describe('the exporter, when something fails', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  let files: FailingFiles;
  let logger: ReturnType<typeof keepingLogger>;
  let exporter: Exporter | null;

  beforeEach(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite'), pollMs: 20 });
    files = new FailingFiles();
    logger = keepingLogger();
    exporter = null;
  });
  afterEach(async () => {
    await exporter?.close();
    await log.close();
    await dir.remove();
  });

  const start = (options: Partial<ExporterOptions> = {}): void => {
    exporter = startExporter({
      log,
      routes: [DEFAULT_ROUTE],
      exportDir: join(dir.path, 'export'),
      cosignerKeys: async () => [],
      logger,
      clock: new FastClock(),
      random: () => 0,
      files,
      ...options,
    });
  };
  const route = (i = 0) => exporter!.status().routes[i]!;
  const settled = (records: number, i = 0): Promise<true> =>
    eventually(`${records} records settled on route ${i}`, () =>
      route(i).counts.records >= records ? true : null,
    );
  const lines = async (stem: string): Promise<Record<string, unknown>[]> =>
    (await readFile(join(dir.path, 'export', `${stem}.ndjson`), 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const sequences = async (): Promise<number[]> =>
    (await lines('events')).map(({ sequence }) => Number(sequence));
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('loses and repeats nothing while the disk is full, and says so meanwhile', async () => {
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(30));
    files.fail('write', 'ENOSPC', 5);
    start();
    await settled(30);
    expect(await sequences()).toEqual(upTo(30));
    expect(logger.lines.filter(({ name }) => name === 'delivery.failed')).toHaveLength(5);
    expect(route()).toMatchObject({ state: 'running', reason: null });
  });

  it.each(['sync', 'open', 'truncate', 'syncFolder'] as const)(
    'recovers from a %s that fails',
    async (operation) => {
      const device = await TestDevice.make();
      files.fail(operation, 'EIO', 3);
      start();
      for (let i = 0; i < 5; i++) await appendTo(log, await device.appendEvents(4));
      await settled(20);
      expect(await sequences()).toEqual(upTo(20));
    },
  );

  it('buries what the destination rejects, with its reason and exact bytes, and its device goes on (INV-11)', async () => {
    const device = await TestDevice.make();
    const sink = new ScriptedSink((line) =>
      line.includes('0000000000000002')
        ? { kind: 'reject', reason: 'mapping conflict' }
        : { kind: 'delivered' },
    );
    start(scripted({ only: sink }));
    const records = await device.appendEvents(5);
    await appendTo(log, records);
    await settled(5);
    expect(sink.accepted).toHaveLength(4);
    expect(route().counts).toMatchObject({ delivered: 4, deadLettered: 1, records: 5 });
    const [letter] = await lines('dead-letters-only');
    expect(letter).toMatchObject({
      route: 'only',
      refusedBy: 'sink',
      reason: 'mapping conflict',
      data_base64: Buffer.from(records[2]!.value).toString('base64'),
      headers: records[2]!.headers,
    });
  });

  it('does not move the position when the dead letters cannot be written, and waits for them', async () => {
    const device = await TestDevice.make();
    const sink = new ScriptedSink(() => ({ kind: 'reject', reason: 'no' }));
    files.fail('write', 'ENOSPC', 4);
    start(scripted({ only: sink }));
    await appendTo(log, await device.appendEvents(2));
    await settled(2);
    expect(sink.sent).toHaveLength(1);
    expect(await lines('dead-letters-only')).toHaveLength(2);
  });

  it('a dead destination neither slows nor stops another route', async () => {
    const device = await TestDevice.make();
    const dead = new ScriptedSink(() => ({ kind: 'retry', reason: 'connection refused' }));
    const alive = new ScriptedSink(() => ({ kind: 'delivered' }));
    start({ ...scripted({ dead, alive }), clock: systemClock });
    await appendTo(log, await device.appendEvents(100));
    await eventually('the dead one is tried', () => (route(0).state === 'retrying' ? true : null));
    for (let i = 0; i < 9; i++) await appendTo(log, await device.appendEvents(100));
    await settled(1_000, 1);
    expect(alive.accepted).toHaveLength(1_000);
    expect(route(0)).toMatchObject({ state: 'retrying', reason: 'connection refused' });
    expect(route(0).counts.records).toBe(0);
    // What is held for the dead one is one batch of the log, not everything that came since.
    expect(Math.max(...dead.sent.map((batch) => batch.length))).toBeLessThanOrEqual(1_000);
  });

  it('cuts what it wrote when the commit fails, and delivers it once', async () => {
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(10));
    const failures = [new Error('disk I/O error'), new PartitionLost(0)];
    const moves = (changes: StateChanges): boolean => Number(changes.get('position|events') ?? 0) > 0;
    start({ log: withCommit(log, (changes) => (moves(changes) ? failures.shift() : undefined)) });
    await settled(10);
    await appendTo(log, await device.appendEvents(1));
    await settled(11);
    expect(failures).toEqual([]);
    expect(await sequences()).toEqual(upTo(11));
    expect(route().counts).toMatchObject({ delivered: 11, records: 11 });
    expect(exporter!.status().feed.counts).toMatchObject({ passed: 11, duplicate: 0 });
    expect(logger.lines.filter(({ name }) => name === 'route.failed')).toHaveLength(2);
  });

  it('waits for keys that cannot be had, where a receipt must be verified', async () => {
    const signer = await ingestSigner();
    const device = await TestDevice.make();
    await device.appendEvents(3);
    const receipt = await device.receiptAt(device.range, signer);
    await appendTo(log, await device.append([utf8('{}')], { receipt }));
    const answers = [new Error('no keys yet'), new Error('no keys yet'), [signer.key]];
    start({
      cosignerKeys: async () => {
        const answer = answers.shift()!;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    await settled(1);
    expect(exporter!.status().feed.counts).toMatchObject({ passed: 1, stale: 0 });
    expect(await sequences()).toEqual([3]);
  });

  it('ends at once when it is closed while a destination is dead, and moves nothing', async () => {
    const device = await TestDevice.make();
    const dead = new ScriptedSink(() => ({ kind: 'retry', reason: 'connection refused' }));
    start(scripted({ dead }));
    await appendTo(log, await device.appendEvents(3));
    await eventually('a try', () => (dead.sent.length > 2 ? true : null));
    await exporter!.close();
    expect(route()).toMatchObject({ state: 'stopped' });
    const alive = new ScriptedSink(() => ({ kind: 'delivered' }));
    start(scripted({ dead: alive }));
    await settled(3);
    expect(alive.accepted).toHaveLength(3);
  });
});

/** Routes of these names in the format `cloudevents`, one for each sink. */
function scripted(sinks: Record<string, ScriptedSink>): Pick<ExporterOptions, 'routes' | 'sinks'> {
  const names = Object.keys(sinks);
  return {
    routes: names.map((name) => ({ name, tenants: '*', format: 'cloudevents', sink: { type: name } })),
    sinks: Object.entries(sinks).map(([name, sink]) => sinkKind(name, sink)),
  };
}

/** The same log, where a commit fails with what `failure` answers for what it would store. */
function withCommit(log: EventLog, failure: (changes: StateChanges) => Error | undefined): EventLog {
  return {
    describe: () => log.describe(),
    append: (...call) => log.append(...call),
    offsets: (partition) => log.offsets(partition),
    readRange: (...call) => log.readRange(...call),
    close: () => log.close(),
    async openGroup(group, options): Promise<GroupReader> {
      const reader = await log.openGroup(group, options);
      return {
        run: (...call) => reader.run(...call),
        load: (...call) => reader.load(...call),
        async commit(partition, next, changes, hold) {
          const error = failure(changes);
          if (error !== undefined) throw error;
          await reader.commit(partition, next, changes, hold);
        },
      };
    },
  };
}
