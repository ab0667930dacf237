import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedLog, openSqlite, type EventLog } from '@tachograph/event-log';
import { utf8, type NoteKey } from '@tachograph/wire';
import { eventually } from '../../../test/support/eventually.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { DEFAULT_ROUTE, startExporter } from '../src/index.ts';
import type { Exporter, RouteInput, RouteStatus } from '../src/index.ts';
import { appendTo, keepingLogger } from './support/surroundings.ts';
import { eventLeaf, ingestSigner, rejectedLeaf, TestDevice } from './support/test-device.ts';

type Line = {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly sequence?: string;
  readonly subject?: string;
  readonly data?: { readonly data?: Record<string, unknown> };
  readonly data_base64?: string;
};

describe('the exporter over the embedded log', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  let keys: NoteKey[];
  let exporter: Exporter | null;

  beforeEach(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite') });
    keys = [];
    exporter = null;
  });
  afterEach(async () => {
    await exporter?.close();
    await log.close();
    await dir.remove();
  });

  const exportDir = (): string => join(dir.path, 'export');
  const start = (routes: readonly RouteInput[] = [DEFAULT_ROUTE]): Exporter => {
    const logger = keepingLogger();
    exporter = startExporter({ log, routes, exportDir: exportDir(), cosignerKeys: async () => keys, logger });
    return exporter;
  };
  /** Waits until so many records of the log were read, and every route has come to its end. */
  const settled = (records: number): Promise<true> =>
    eventually(`${records} records settled`, () => {
      const { feed, routes } = exporter!.status();
      const isThere = ({ positions }: RouteStatus): boolean =>
        [...feed.positions].every(([partition, next]) => positions.get(partition) === next);
      return feed.counts.records >= records && routes.every(isThere) ? true : null;
    });
  const counts = () => ({ ...exporter!.status().feed.counts, ...exporter!.status().routes[0]!.counts });
  const lines = async (stem = 'events'): Promise<Line[]> => {
    const text = await readFile(join(exportDir(), `${stem}.ndjson`), 'utf8');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  };

  it('exports each device once and in order, with what stood in the log before it started and what came after', async () => {
    const devices = await Promise.all([TestDevice.make(), TestDevice.make(), TestDevice.make()]);
    for (const device of devices) await appendTo(log, await device.appendEvents(50));
    start();
    for (const device of devices) await appendTo(log, await device.appendEvents(7));
    await settled(171);
    const feed = await lines();
    expect(feed).toHaveLength(171);
    for (const { origin } of devices) {
      const sequences = feed
        .filter(({ source }) => source === origin)
        .map(({ sequence }) => Number(sequence));
      expect(sequences).toEqual(Array.from({ length: 57 }, (_, i) => i));
    }
  });

  it('loses no line that a log restored from before it lacks, not even of its last batch', async () => {
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(10));
    start();
    await settled(10);
    const backup = join(dir.path, 'backup.sqlite');
    const database = openSqlite(join(dir.path, 'log.sqlite'));
    database.exec(`VACUUM INTO '${backup}'`);
    database.close();
    await appendTo(log, await device.appendEvents(70));
    await settled(80);
    await exporter!.close();
    await log.close();
    log = await openEmbeddedLog({ file: backup });
    start();
    await appendTo(log, await (await TestDevice.make()).appendEvents(3));
    await settled(3);
    const aside = (await readdir(exportDir())).find((name) => name.startsWith('events-2'));
    expect(await lines(aside!.replace('.ndjson', ''))).toHaveLength(80);
    expect(await lines()).toHaveLength(3);
  });

  it('says how far behind the log it is, and answers the other figures while the log does not say', async () => {
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(10));
    start();
    await settled(10);
    const text = await exporter!.metrics();
    expect(text.match(/tachograph_export_lag_records\{.*\} 0\n/g)).toHaveLength(4);
    jest.spyOn(log, 'offsets').mockRejectedValue(new Error('away'));
    const without = await exporter!.metrics();
    expect(without).toContain('tachograph_export_records_total{route="events",outcome="delivered"} 10\n');
    expect(without).not.toContain('tachograph_export_lag_records{');
    // A broker that hangs answers nothing at all.
    jest.spyOn(log, 'offsets').mockReturnValue(new Promise(() => undefined));
    expect(await exporter!.metrics()).toContain('tachograph_export_records_total{');
  });

  it('drops a repeated append, and counts add up (INV-12)', async () => {
    const device = await TestDevice.make();
    const records = await device.appendEvents(10);
    start();
    await appendTo(log, records);
    await appendTo(log, records);
    await settled(20);
    const { feed, routes } = exporter!.status();
    expect(feed.counts).toMatchObject({ records: 20, passed: 10, duplicate: 10, alarms: 0 });
    expect(routes[0]!.counts).toMatchObject({ records: 10, delivered: 10, deadLettered: 0, notices: 0 });
    expect(await lines()).toHaveLength(10);
  });

  it('raises a fork as an event with an id that does not depend on who finds it, and delivers none of it', async () => {
    const device = await TestDevice.make();
    const before = device.range;
    await appendTo(log, await device.appendEvents(3));
    await appendTo(log, await device.append([utf8('{"other":1}'), utf8('{"other":2}')], { from: before }));
    start();
    await settled(5);
    const feed = await lines();
    expect(feed.map(({ type }) => type)).toEqual(['item.reveal', 'item.reveal', 'item.reveal', 'log.forked']);
    const alarm = feed[3]!;
    expect(alarm).toMatchObject({ subject: device.origin, source: expect.stringMatching(/\/acme\/export$/) });
    expect(alarm.sequence).toBeUndefined();
    expect(alarm.data?.data).toMatchObject({ log: device.origin, from: 0, to: 2 });
    expect(counts()).toMatchObject({ forked: 2, delivered: 3, alarms: 1 });
  });

  it('goes on behind a gap that ingest vouches for, and tells of it first', async () => {
    const signer = await ingestSigner();
    keys = [signer.key];
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(2));
    await device.appendEvents(5); // lost: never in this log
    const receipt = await device.receiptAt(device.range, signer);
    await appendTo(log, await device.append([eventLeaf(7)], { receipt }));
    start();
    await settled(3);
    const feed = await lines();
    expect(feed.map(({ type, sequence }) => [type, sequence && Number(sequence)])).toEqual([
      ['item.reveal', 0],
      ['item.reveal', 1],
      ['log.gap', undefined],
      ['item.reveal', 7],
    ]);
    expect(feed[2]!.data?.data).toMatchObject({ from: 2, to: 7 });
  });

  it('does not adopt an edge whose receipt was signed by a stranger', async () => {
    keys = [(await ingestSigner()).key];
    const device = await TestDevice.make();
    await device.appendEvents(5);
    const receipt = await device.receiptAt(device.range, await ingestSigner());
    await appendTo(log, await device.append([eventLeaf(5)], { receipt }));
    start();
    await settled(1);
    expect(counts()).toMatchObject({ stale: 1, delivered: 0, alarms: 0 });
  });

  it('keeps the place of rejected content in the feed and its exact bytes in the dead letters (INV-11)', async () => {
    const device = await TestDevice.make();
    const bytes = Uint8Array.of(0xff, 0x0d, 0x00, 0x22);
    await appendTo(
      log,
      await device.append([eventLeaf(0), rejectedLeaf(bytes, 'ERR_LEAF_UTF8'), eventLeaf(2)]),
    );
    start();
    await settled(3);
    const feed = await lines();
    expect(feed.map(({ sequence }) => Number(sequence))).toEqual([0, 1, 2]);
    expect(feed[1]).toMatchObject({
      type: 'tachograph.rejected',
      rejected: 'ERR_LEAF_UTF8',
      data_base64: '/w0AIg==',
    });
    expect(await lines('dead-letters')).toEqual([
      expect.objectContaining({ refusedBy: 'content', reason: 'ERR_LEAF_UTF8', data_base64: '/w0AIg==' }),
    ]);
    expect(counts()).toMatchObject({ delivered: 3, contentRejected: 1 });
  });

  it('does not deliver again what a successor carried over', async () => {
    const device = await TestDevice.make();
    const carried = { bytes: eventLeaf(0), headers: { tachograph_duplicate_of: 'other/0/abc' } };
    await appendTo(log, await device.append([carried, eventLeaf(1)]));
    start();
    await settled(2);
    expect((await lines()).map(({ sequence }) => Number(sequence))).toEqual([1]);
    expect(counts()).toMatchObject({ carried: 1, delivered: 1 });
  });

  it('sends each tenant and each action only along the routes that ask for them', async () => {
    const [acme, other] = [await TestDevice.make('acme'), await TestDevice.make('globex')];
    const ofType = (type: string) => ({ bytes: eventLeaf(0), headers: { ce_type: type } });
    await appendTo(log, await acme.append([ofType('item.reveal'), ofType('signin.attempt')]));
    await appendTo(log, await other.append([ofType('signin.attempt')]));
    start([
      { name: 'acme-raw', tenants: ['acme'], format: 'raw', sink: { type: 'file', stem: 'acme' } },
      {
        name: 'signins',
        tenants: '*',
        actions: ['signin.attempt'],
        format: 'cloudevents',
        sink: { type: 'file', stem: 'signins' },
      },
    ]);
    await settled(3);
    expect(await readFile(join(exportDir(), 'acme.ndjson'), 'utf8')).toBe(
      `${Buffer.from(eventLeaf(0)).toString()}\n`.repeat(2),
    );
    expect((await lines('signins')).map(({ source }) => source).sort()).toEqual(
      [acme.origin, other.origin].sort(),
    );
    const [raw, signins] = exporter!.status().routes;
    expect(raw!.counts).toMatchObject({ delivered: 2, records: 2 });
    expect(signins!.counts).toMatchObject({ delivered: 2, records: 2 });
  });

  it('goes on where it stopped, without repeating a line', async () => {
    const device = await TestDevice.make();
    await appendTo(log, await device.appendEvents(20));
    start();
    await settled(20);
    await exporter!.close();
    expect(exporter!.status().routes[0]!.state).toBe('stopped');
    await appendTo(log, await device.appendEvents(5));
    start();
    await settled(5);
    expect((await lines()).map(({ sequence }) => Number(sequence))).toEqual(
      Array.from({ length: 25 }, (_, i) => i),
    );
  });

  it('refuses a second exporter on the same folder', () => {
    start();
    expect(() =>
      startExporter({
        log,
        routes: [DEFAULT_ROUTE],
        exportDir: exportDir(),
        cosignerKeys: async () => [],
        logger: keepingLogger(),
      }),
    ).toThrow('another process exports into');
  });
});
