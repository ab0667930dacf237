import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { HEADER, openEmbeddedLog, type EmbeddedLog, type EventLog } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { eventually } from '../../../../test/support/eventually.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { startExporter, type Exporter, type RouteInput } from '../../src/index.ts';
import { systemClock } from '../../src/runtime.ts';
import { ScriptedSink, sinkKind } from '../support/scripted-sink.ts';
import { appendTo, keepingLogger } from '../support/surroundings.ts';
import { TestDevice } from '../support/test-device.ts';

const NAMES = ['all', 'first', 'from-now', 'later', 'quick', 'shared', 'slow', 'whole'] as const;
type Name = (typeof NAMES)[number];

describe('routes over one reading of the log', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EmbeddedLog;
  let exporters: Exporter[];
  let sinks: Record<Name, ScriptedSink>;
  /** Whose destination takes nothing. */
  const away = new Set<Name>();

  beforeEach(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite'), pollMs: 20, leaseMs: 600 });
    exporters = [];
    away.clear();
    const sinkOf = (name: Name): ScriptedSink =>
      new ScriptedSink(() =>
        away.has(name) ? { kind: 'retry', reason: 'away', afterMs: 20 } : { kind: 'delivered' },
      );
    sinks = {
      all: sinkOf('all'),
      first: sinkOf('first'),
      'from-now': sinkOf('from-now'),
      later: sinkOf('later'),
      quick: sinkOf('quick'),
      shared: sinkOf('shared'),
      slow: sinkOf('slow'),
      whole: sinkOf('whole'),
    };
  });
  afterEach(async () => {
    await Promise.all(exporters.map((exporter) => exporter.close()));
    await log.close();
    await dir.remove();
  });

  const routeOf = (name: Name, extra: Partial<RouteInput> = {}): RouteInput => ({
    name,
    tenants: '*',
    format: 'raw',
    batchAgeMs: 0,
    sink: { type: name },
    ...extra,
  });
  const start = (
    routes: readonly RouteInput[],
    options: { folder?: string; log?: EventLog } = {},
  ): Exporter => {
    const exporter = startExporter({
      log: options.log ?? log,
      routes,
      exportDir: join(dir.path, options.folder ?? 'export'),
      cosignerKeys: async () => [],
      logger: keepingLogger(),
      clock: systemClock,
      random: () => 0,
      sinks: NAMES.map((name) => sinkKind(name, sinks[name])),
    });
    exporters.push(exporter);
    return exporter;
  };
  const has = (name: Name, count: number): Promise<true> =>
    eventually(`${count} events of ${name}`, () => (sinks[name].accepted.length >= count ? true : null));
  const boots = (name: Name): number[] =>
    sinks[name].accepted.map((line) => (JSON.parse(line) as { clock: { ms: number } }).clock.ms);
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('give the same events to a route that reads at once, one that falls behind, and one that comes later (INV-08)', async () => {
    const device = await TestDevice.make();
    away.add('slow');
    const exporter = start([routeOf('quick'), routeOf('slow')]);
    // More than the memory holds for a partition, with repeats and a fork in between.
    const large = (n: number) => utf8(JSON.stringify({ ...base(n), data: { text: 'x'.repeat(20_000) } }));
    let count = 0;
    for (let append = 0; append < 12; append++) {
      const before = device.range;
      const leaves = Array.from({ length: 50 }, () => large(count++));
      const records = await device.append(leaves);
      await appendTo(log, records);
      if (append % 3 === 0) await appendTo(log, records);
      if (append === 5) await appendTo(log, await device.append([utf8('{"a":1}')], { from: before }));
    }
    await has('quick', 601);
    away.clear();
    await has('slow', 601);
    await exporter.apply([routeOf('quick'), routeOf('slow'), routeOf('later')]);
    await has('later', 601);
    expect(sinks['slow'].accepted).toEqual(sinks['quick'].accepted);
    expect(sinks['later'].accepted).toEqual(sinks['quick'].accepted);
    const forked = sinks['quick'].accepted.filter((line) => line.includes('"log.forked"'));
    expect(forked).toHaveLength(1);
    const { counts } = exporter.status().feed;
    expect(counts).toMatchObject({ passed: 600, duplicate: 200, forked: 1, alarms: 1, records: 801 });
  });

  it('hold nothing in memory for a destination that is away, and ask it for one batch at a time', async () => {
    const device = await TestDevice.make();
    away.add('slow');
    start([routeOf('slow')]);
    for (let i = 0; i < 5; i++) await appendTo(log, await device.appendEvents(500));
    await eventually('some tries', () => (sinks['slow'].sent.length > 5 ? true : null));
    for (const batch of sinks['slow'].sent) expect(batch.length).toBeLessThanOrEqual(1_000);
    expect(sinks['slow'].sent.every(([first]) => first === sinks['slow'].sent[0]![0])).toBe(true);
  });

  it('keep what a route has not read yet, whatever the others have', async () => {
    const device = await TestDevice.make();
    away.add('slow');
    start([routeOf('quick'), routeOf('slow')]);
    for (let i = 0; i < 4; i++) await appendTo(log, await device.appendEvents(10));
    await has('quick', 40);
    expect((await log.trim({ bytesMax: 0 })).every(({ removed }) => removed === 0)).toBe(true);
    away.clear();
    await has('slow', 40);
    expect(boots('slow')).toEqual(upTo(40));
  });

  it('begin, change and end while the others go on: a new one at the oldest event or at the next', async () => {
    const device = await TestDevice.make();
    const exporter = start([routeOf('first')]);
    await appendTo(log, await device.appendEvents(5));
    await has('first', 5);
    await exporter.apply([routeOf('first'), routeOf('whole'), routeOf('from-now', { start: 'now' })]);
    await appendTo(log, await device.appendEvents(3));
    await Promise.all([has('first', 8), has('whole', 8), has('from-now', 3)]);
    expect(boots('from-now')).toEqual([5, 6, 7]);
    await exporter.apply([routeOf('first'), routeOf('whole', { actions: ['signin.attempt'] })]);
    await appendTo(log, await device.appendEvents(2));
    await has('first', 10);
    expect(boots('first')).toEqual(upTo(10));
    expect(boots('whole')).toEqual(upTo(8));
    expect(exporter.status().routes.map(({ name }) => name)).toEqual(['first', 'whole']);
    // One that comes back goes on where it stood.
    await exporter.apply([routeOf('first'), routeOf('from-now', { start: 'now' })]);
    await has('from-now', 5);
    expect(boots('from-now')).toEqual([5, 6, 7, 8, 9]);
  });

  it('refuse what is no route, and go on as they were', async () => {
    const device = await TestDevice.make();
    const exporter = start([routeOf('first')]);
    await expect(exporter.apply([routeOf('first'), { ...routeOf('first'), tenants: [] }])).rejects.toThrow();
    await appendTo(log, await device.appendEvents(2));
    await has('first', 2);
  });

  it('share the partitions with another process, and lose nothing when one ends (INV-08)', async () => {
    const devices = await Promise.all(Array.from({ length: 8 }, () => TestDevice.make()));
    const one = start([routeOf('shared')], { folder: 'one' });
    const two = start([routeOf('shared')], { folder: 'two' });
    const partitions = (exporter: Exporter): number => exporter.status().feed.positions.size;
    await eventually('each has two', () => (partitions(one) === 2 && partitions(two) === 2 ? true : null));
    for (const device of devices) await appendTo(log, await device.appendEvents(20));
    await has('shared', 160);
    await one.close();
    for (const device of devices) await appendTo(log, await device.appendEvents(20));
    await has('shared', 320);
    await eventually('the other has all four', () => (partitions(two) === 4 ? true : null));
    expect(sinks['shared'].accepted).toHaveLength(320);
    expect(boots('shared').toSorted((a, b) => a - b)).toEqual(
      upTo(40).flatMap((ms) => Array.from({ length: 8 }, () => ms)),
    );
  });

  it('tell of a device that comes back before its backlog, once, by what its first record says', async () => {
    const device = await TestDevice.make();
    start([routeOf('all', { format: 'cloudevents' })]);
    const late = (pending: number) => ({
      [HEADER.pending]: String(pending),
      [HEADER.oldest]: '2026-11-22T08:00:00.000Z',
    });
    const append = async (count: number, headers: Record<string, string>): Promise<void> => {
      const { size } = device.range;
      const leaves = Array.from({ length: count }, (_, i) => ({
        bytes: utf8(JSON.stringify(base(size + i))),
        headers: i === 0 ? headers : {},
      }));
      await appendTo(log, await device.append(leaves));
    };
    await append(2, { [HEADER.pending]: '2', [HEADER.oldest]: '2026-11-22T10:00:00.000Z' });
    await append(3, late(7));
    await append(4, late(4));
    await append(1, late(1));
    await has('all', 12);
    const told = sinks['all'].accepted.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ type, sequence }) => (sequence === undefined ? type : Number(sequence)))).toEqual([
      0,
      1,
      'device.returned',
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      'device.returned',
      9,
    ]);
    expect(told[2]).toMatchObject({
      subject: device.origin,
      time: '2026-11-22T10:00:05.000Z',
      data: { data: { pending: 7, oldest: '2026-11-22T08:00:00.000Z', waitedMs: 7_205_000, from: 2 } },
    });
  });
});

function base(n: number) {
  return {
    id: `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`,
    time: '2026-11-22T10:00:00.123Z',
    action: 'item.reveal',
    actor: { id: 'u_7' },
    outcome: 'success',
    online: false,
    clock: { boot: 'b3f1', ms: n },
  };
}
