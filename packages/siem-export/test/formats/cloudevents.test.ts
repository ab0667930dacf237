import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEADER } from '@tachograph/event-log';
import { toHex, utf8, utf8Text, type Bytes } from '@tachograph/wire';
import type { ExportEvent } from '../../src/export-event.ts';
import { ATTRIBUTES, cloudevents } from '../../src/formats/cloudevents.ts';
import type { TimePolicy } from '../../src/time-policy.ts';
import { exportEvent } from '../support/export-event.ts';
import { eventLeaf } from '../support/test-device.ts';

const context = { exportedTime: '2026-11-23T08:00:00.000Z' };

function lineOf(event: ExportEvent): string {
  const formatted = cloudevents.format(event, context);
  if (formatted.kind !== 'line') throw new Error(formatted.reason);
  const text = utf8Text(utf8(formatted.text));
  if (text === null) throw new Error('not UTF-8');
  return text;
}

const parse = (event: ExportEvent) => JSON.parse(lineOf(event)) as Record<string, unknown>;

describe('the format cloudevents', () => {
  it('is a structured CloudEvent with the headers as attributes', () => {
    const event = exportEvent(eventLeaf(7), {
      [HEADER.earliest]: '2026-11-22T09:00:00.000Z',
      [HEADER.latest]: '2026-11-22T10:00:01.000Z',
      [HEADER.estimate]: 'monotonic',
      [HEADER.lateness]: '4877',
      [HEADER.deviceStatus]: 'revoked',
      [HEADER.revocation]: 'before',
    });
    expect(parse(event)).toEqual({
      specversion: '1.0',
      id: 'device/7/0123456789ab',
      source: 'audit.example.com/acme/device',
      type: 'item.reveal',
      time: '2026-11-22T10:00:00.123Z',
      tenant: 'acme',
      sequence: '0000000000000007',
      recordedtime: '2026-11-22T10:00:05.000Z',
      earliest: '2026-11-22T09:00:00.000Z',
      latest: '2026-11-22T10:00:01.000Z',
      estimate: 'monotonic',
      lateness: '4877',
      devicestatus: 'revoked',
      revocation: 'before',
      exportedtime: context.exportedTime,
      leafhash: toHex(event.leafHash!),
      datacontenttype: 'application/json',
      data: JSON.parse(utf8Text(eventLeaf(7))!),
    });
  });

  it('splices the exact bytes in: spelling, spacing and order survive (INV-13)', () => {
    const leaf = '{ "b" : 1.0e0,\t"a":"\\u0041\u2028é" }';
    expect(lineOf(exportEvent(utf8(leaf))).endsWith(`,"data":${leaf}}`)).toBe(true);
  });

  it('names every attribute in lower-case letters and digits, each once (CloudEvents 1.0.2, naming conventions)', () => {
    const names = ATTRIBUTES.map(([, name]) => name);
    expect(names.filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    const taken = new Set([
      'specversion',
      'id',
      'source',
      'type',
      'time',
      'occurredtime',
      'datacontenttype',
      'exportedtime',
      'leafhash',
      'data',
    ]);
    expect(names.filter((name) => taken.has(name))).toEqual([]);
  });

  it('has the time that the route wants, and beside it when it occurred where that is another one', () => {
    const event = exportEvent(eventLeaf(7));
    const timed = (timePolicy: TimePolicy): Record<string, unknown> => {
      const formatted = cloudevents.format(event, { ...context, timePolicy });
      if (formatted.kind !== 'line') throw new Error(formatted.reason);
      const { time, occurredtime, recordedtime } = JSON.parse(formatted.text) as Record<string, unknown>;
      return { time, occurredtime, recordedtime };
    };
    const [occurred, received] = ['2026-11-22T10:00:00.123Z', '2026-11-22T10:00:05.000Z'];
    expect(timed('occurred')).toEqual({ time: occurred, recordedtime: received });
    expect(timed('received')).toEqual({ time: received, occurredtime: occurred, recordedtime: received });
    expect(timed({ auto: { olderThanHours: 24 } })).toEqual({ time: occurred, recordedtime: received });
  });

  it('knows every header of the ordered log, and leaves behind only those that are listed here', () => {
    const elsewhere = [
      HEADER.contentType,
      HEADER.specVersion,
      HEADER.id,
      HEADER.source,
      HEADER.type,
      HEADER.time,
    ];
    const leftBehind = [HEADER.duplicateOf, HEADER.receipt];
    const known = new Set<string>([...ATTRIBUTES.map(([header]) => header), ...elsewhere, ...leftBehind]);
    expect(Object.values(HEADER).filter((header) => !known.has(header))).toEqual([]);
  });

  it.each<[string, Bytes]>([
    ['bytes that are not UTF-8', Uint8Array.of(0xff, 0x22)],
    ['a forged second line', utf8('{}\n{"specversion":"1.0"}')],
    ['text that is not JSON', utf8('},"type":"forged"')],
    ['nothing', new Uint8Array()],
    ['a byte order mark', utf8('\ufeff{}')],
  ])('writes %s as data_base64 even where nobody has marked it as rejected', (_what, bytes) => {
    const line = parse(exportEvent(bytes));
    expect(line).toMatchObject({ datacontenttype: 'application/octet-stream', type: 'item.reveal' });
    expect(line).not.toHaveProperty('data');
    expect(Buffer.from(String(line['data_base64']), 'base64')).toEqual(Buffer.from(bytes));
  });

  it('writes rejected content as data_base64 though it may be JSON', () => {
    const event = exportEvent(utf8('{"a":1,"a":2}'), { [HEADER.rejected]: 'ERR_LEAF_DUPLICATE_KEY' });
    const line = parse(event);
    expect(line).toMatchObject({ rejected: 'ERR_LEAF_DUPLICATE_KEY' });
    expect(line).toHaveProperty('data_base64');
    expect(line).not.toHaveProperty('data');
  });

  it('lets no carriage return through, behind which universal newlines would see a forged event', () => {
    const leaf = utf8('{"data":\r{"id":"forged"}\r}');
    const line = lineOf(exportEvent(leaf));
    expect(line).not.toContain('\r');
    const parsed = JSON.parse(line) as Record<string, string>;
    expect(parsed['datacontenttype']).toBe('application/json');
    expect(Buffer.from(parsed['data_base64']!, 'base64')).toEqual(Buffer.from(leaf));
  });

  it.each([HEADER.id, HEADER.source, HEADER.type])('cannot represent a record without %s', (header) => {
    expect(cloudevents.format(exportEvent(utf8('{}'), { [header]: '' }), context).kind).toBe(
      'unrepresentable',
    );
  });

  it('is one line of UTF-8 JSON with the exact bytes in it, whatever the leaf and the headers (INV-13)', () => {
    const leaves = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
      fc.string({ unit: 'binary' }).map(utf8),
      fc.json().map(utf8),
      fc.json().map((json) => utf8(`\r${json}\n`)),
    );
    const headers = fc.dictionary(
      fc.constantFrom(
        ...ATTRIBUTES.map(([header]) => header),
        HEADER.id,
        HEADER.type,
        HEADER.time,
        'ce_data',
        'x"y',
      ),
      fc.string({ unit: 'binary', minLength: 1 }),
    );
    fc.assert(
      fc.property(leaves, headers, (leaf, extra) => {
        const line = lineOf(exportEvent(leaf, extra));
        expect(/[\r\n]/.test(line)).toBe(false);
        const parsed = JSON.parse(line) as Record<string, unknown>;
        if ('data' in parsed) expect(line.endsWith(`,"data":${utf8Text(leaf)}}`)).toBe(true);
        else expect(Buffer.from(String(parsed['data_base64']), 'base64')).toEqual(Buffer.from(leaf));
        const known = new Set([
          'specversion',
          'id',
          'source',
          'type',
          'time',
          'exportedtime',
          'leafhash',
          'datacontenttype',
        ]);
        for (const [, name] of ATTRIBUTES) known.add(name);
        expect(Object.keys(parsed).filter((name) => !known.has(name) && !name.startsWith('data'))).toEqual(
          [],
        );
      }),
      { numRuns: 500 },
    );
  });
});
