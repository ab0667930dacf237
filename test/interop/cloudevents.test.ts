import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudEvent, HTTP, type CloudEventV1 } from 'cloudevents';
import { openEmbeddedLog, type EventLog, type LogRecord } from '@tachograph/event-log';
import { startExporter, type Exporter, type ExporterStatus } from '@tachograph/siem-export';
import { utf8, type NoteKey } from '@tachograph/wire';
import { appendTo, keepingLogger } from '../../packages/siem-export/test/support/surroundings.ts';
import {
  eventLeaf,
  ingestSigner,
  rejectedLeaf,
  TestDevice,
} from '../../packages/siem-export/test/support/test-device.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Whether `total` records of the log were read, and the one route has come to its end. */
function isExported({ feed, routes }: ExporterStatus, total: number): boolean {
  const { positions } = routes[0]!;
  const isThere = [...feed.positions].every(([partition, next]) => positions.get(partition) === next);
  return feed.counts.records >= total && isThere;
}

describe('the feed, read by the SDK of CloudEvents', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  let exporter: Exporter | null;
  const keys: NoteKey[] = [];

  beforeEach(async () => {
    exporter = null;
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite') });
  });
  afterEach(async () => {
    await exporter?.close();
    await log.close();
    await dir.remove();
  });

  /** The lines that the exporter makes of `appends`. */
  async function exported(appends: readonly (readonly LogRecord[])[]): Promise<string[]> {
    for (const append of appends) await appendTo(log, append);
    const total = appends.reduce((sum, append) => sum + append.length, 0);
    const started = startExporter({
      log,
      routes: [{ name: 'all', tenants: '*', format: 'cloudevents', sink: { type: 'file', stem: 'events' } }],
      exportDir: join(dir.path, 'export'),
      cosignerKeys: async () => keys,
      logger: keepingLogger(),
    });
    exporter = started;
    await eventually('everything is exported', () => (isExported(started.status(), total) ? true : null));
    return (await readFile(join(dir.path, 'export', 'events.ndjson'), 'utf8')).split('\n').slice(0, -1);
  }

  /** One line as an HTTP message in structured mode, the way a receiver would get it. */
  function received(line: string): CloudEventV1<unknown> {
    const message = { headers: { 'content-type': 'application/cloudevents+json' }, body: line };
    const event = HTTP.toEvent(message);
    if (Array.isArray(event)) throw new Error('one line is one event');
    return event;
  }

  it('is accepted line by line: events, rejected entries, and every kind of alarm', async () => {
    const signer = await ingestSigner();
    keys.push(signer.key);
    const device = await TestDevice.make();
    const first = device.range;
    const events = await device.append([
      eventLeaf(0),
      rejectedLeaf(Uint8Array.of(0xff, 0x00, 0x7d), 'ERR_LEAF_UTF8'),
      // Legal JSON that readers with universal newlines would take for two lines.
      utf8('{"data":\r{"id":"x"}\r}'),
    ]);
    const fork = await device.append([utf8('{"other":1}')], { from: first });
    await device.appendEvents(5); // Lost: never in this log.
    const gap = await device.append([eventLeaf(8)], {
      receipt: await device.receiptAt(device.range, signer),
    });
    const [outside] = await device.appendEvents(2);
    const headers = Object.fromEntries(
      Object.entries(outside!.headers).filter(([name]) => name !== 'tachograph_edge'),
    );
    const lines = await exported([events, fork, gap, [{ ...outside!, headers }]]);

    const types = lines.map((line) => received(line).type);
    expect(types).toEqual([
      'item.reveal',
      'tachograph.rejected',
      'item.reveal',
      'log.forked',
      'log.gap',
      'item.reveal',
      'log.invalid',
    ]);
    for (const line of lines) {
      const parsed = JSON.parse(line) as CloudEventV1<unknown>;
      // Strict: attributes are validated against the SDK's schema of the specification.
      expect(new CloudEvent(parsed, true).validate()).toBe(true);
      expect(received(line)).toMatchObject({ specversion: '1.0', id: parsed.id, source: parsed.source });
    }
    expect(received(lines[0]!).data).toEqual(JSON.parse(Buffer.from(eventLeaf(0)).toString()));
    expect(Buffer.from(received(lines[1]!).data_base64!, 'base64')).toEqual(Buffer.from([0xff, 0x00, 0x7d]));
  });

  it('refuses what is no CloudEvent, so that the test above can fail', () => {
    expect(() => new CloudEvent({ id: 'a', source: 'b', type: 'c', Upper_Case: 'd' }, true)).toThrow();
    expect(() => new CloudEvent({ id: 'a', source: '', type: 'c' }, true)).toThrow();
  });
});
