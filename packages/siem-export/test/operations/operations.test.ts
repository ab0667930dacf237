import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HEADER, openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { eventually } from '../../../../test/support/eventually.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { EXPORT_GROUP, startExporter, type Exporter, type RouteInput } from '../../src/index.ts';
import { DeadLetterFile, type StoredLetter } from '../../src/operations/dead-letter-file.ts';
import { readAgain, type ReplayRange } from '../../src/operations/replay.ts';
import { sendAlong } from '../../src/operations/send-along.ts';
import { testEvent } from '../../src/operations/test-event.ts';
import { parseRoutes, type Route } from '../../src/route.ts';
import type { Outcome } from '../../src/sinks/sink.ts';
import { ScriptedSink, sinkKind } from '../support/scripted-sink.ts';
import { appendTo, FastClock, keepingLogger } from '../support/surroundings.ts';
import { eventLeaf, rejectedLeaf, TestDevice } from '../support/test-device.ts';

const ROUTE: RouteInput = { name: 'only', tenants: '*', format: 'ecs', sink: { type: 'scripted' } };
const ALL: ReplayRange = { tenants: '*', from: null, to: null };

describe('what operators do beside a running exporter', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  let exporter: Exporter;
  let sink: ScriptedSink;
  let route: Route;
  /** What the destination says of a line. */
  let answer: (line: string) => Outcome;

  beforeEach(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite'), pollMs: 20 });
    answer = () => ({ kind: 'delivered' });
    sink = new ScriptedSink((line) => answer(line));
    const sinks = [sinkKind('scripted', sink)];
    [route] = parseRoutes([ROUTE], sinks) as [Route];
    const [exportDir, logger] = [join(dir.path, 'export'), keepingLogger()];
    exporter = startExporter({
      log,
      routes: [ROUTE],
      exportDir,
      cosignerKeys: async () => [],
      logger,
      sinks,
    });
  });
  afterEach(async () => {
    await exporter.close();
    await log.close();
    await dir.remove();
  });

  const settled = (records: number): Promise<true> =>
    eventually(`${records} records`, () =>
      exporter.status().routes[0]!.counts.records >= records ? true : null,
    );
  const context = () => {
    const signal = new AbortController().signal;
    return { clock: new FastClock(), random: () => 0, logger: keepingLogger(), signal };
  };
  const file = () => new DeadLetterFile(join(dir.path, 'export'), 'dead-letters-only');
  const letters = async (): Promise<StoredLetter[]> => gathered(file().open());

  it('list dead letters with their reasons, deliver them once the destination takes them, and see them go', async () => {
    answer = (line) =>
      line.includes('"sequence":2,') ? { kind: 'reject', reason: 'mapping conflict' } : { kind: 'delivered' };
    const device = await TestDevice.make();
    const rejected = rejectedLeaf(utf8('no JSON'), 'ERR_LEAF_JSON');
    const records = await device.append([eventLeaf(0), rejected, eventLeaf(2), eventLeaf(3)]);
    await appendTo(log, records);
    await settled(4);
    const [content, refused] = await letters();
    expect(content).toMatchObject({ refusedBy: 'content', reason: 'ERR_LEAF_JSON', route: 'only' });
    expect(refused).toMatchObject({ refusedBy: 'sink', reason: 'mapping conflict' });
    expect(refused!.event).toMatchObject({ headers: records[2]!.headers, offset: 2 });
    expect(refused!.event.value).toEqual(records[2]!.value);
    expect(refused!.id).toMatch(/^[0-9a-f]{12}$/);

    const again = await sendAlong(route, sink, [refused!.event], context());
    expect(again).toMatchObject({ kind: 'settled', delivered: 0, refused: [{ reason: 'mapping conflict' }] });
    answer = () => ({ kind: 'delivered' });
    const before = sink.accepted.length;
    const both = await sendAlong(route, sink, [content!.event, refused!.event], context());
    // What is no event stays what it is: this format has no place for it.
    expect(both).toMatchObject({ kind: 'settled', delivered: 1, refused: [{ reason: 'ERR_LEAF_JSON' }] });
    expect(sink.accepted.length).toBe(before + 1);
    await file().close([refused!], '2026-11-23T08:00:00.000Z');
    expect((await letters()).map(({ id }) => id)).toEqual([content!.id]);
  });

  it('find no letter where nothing was refused, and none in a line that is cut', async () => {
    expect(await letters()).toEqual([]);
    await appendFile(join(dir.path, 'export', 'dead-letters-only.ndjson'), '{"time":"2026-11-2');
    expect(await letters()).toEqual([]);
  });

  it('send a test event, and hear what the destination says of it', async () => {
    const event = testEvent('only', 'acme', Date.parse('2026-11-23T08:00:00.000Z'));
    expect(await sendAlong(route, sink, [event], context())).toEqual({
      kind: 'settled',
      delivered: 1,
      refused: [],
    });
    expect(JSON.parse(sink.accepted[0]!)).toMatchObject({
      event: { action: 'export.test' },
      organization: { id: 'acme' },
      tachograph: { data: { test: true, route: 'only' } },
    });
    answer = () => ({ kind: 'halt', reason: 'the token is not known' });
    expect(await sendAlong(route, sink, [event], context())).toEqual({
      kind: 'not-taken',
      trouble: 'halted',
      reason: 'the token is not known',
      waitMs: 30_000,
    });
  });

  it('read again what was exported: the same events in the same order, by tenant and time of reception', async () => {
    const [acme, globex] = [await TestDevice.make('acme'), await TestDevice.make('globex')];
    const at = (time: string) => ({ [HEADER.recordedTime]: time });
    const leaf = (n: number, time: string) => ({ bytes: eventLeaf(n), headers: at(time) });
    const first = await acme.append([
      leaf(0, '2026-11-22T10:00:00.000Z'),
      leaf(1, '2026-11-22T11:00:00.000Z'),
    ]);
    await appendTo(log, first);
    await appendTo(log, first);
    await appendTo(log, await globex.append([leaf(0, '2026-11-22T11:30:00.000Z')]));
    await appendTo(log, await acme.append([leaf(2, '2026-11-22T12:00:00.000Z')]));
    await settled(4);
    const reader = await log.openGroup(EXPORT_GROUP);
    const ids = async (range: ReplayRange): Promise<string[]> => {
      const chunks = await gathered(readAgain({ log, reader }, range, 1));
      expect(chunks.at(-1)).toMatchObject({ looked: 6, total: 6 });
      return chunks.flatMap(({ events }) => events.map(({ headers }) => headers[HEADER.id]!));
    };
    const ofAcme = [0, 1, 2].map((index) => expect.stringMatching(`^${acme.id}/${index}/`));
    expect(await ids({ ...ALL, tenants: ['acme'] })).toEqual(ofAcme);
    expect(await ids(ALL)).toHaveLength(4);
    const window = { from: '2026-11-22T11:00:00.000Z', to: '2026-11-22T12:00:00.000Z' };
    expect(await ids({ ...ALL, ...window, tenants: ['acme'] })).toEqual([ofAcme[1]]);
    expect(await ids({ ...ALL, ...window, actions: ['signin.attempt'] })).toEqual([]);
  });
});

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
