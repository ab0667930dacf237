import { LIMITS, utf8Text } from '@tachograph/wire';
import { parseLeaf } from '@tachograph/wire/schema';
import { describe, expect, it } from '@jest/globals';
import { makeLeaf, uuidV7, type EventInput, type Stamp } from '../../src/core/event.ts';

const stamp: Stamp = {
  wallMs: Date.parse('2026-11-22T10:00:00.123Z'),
  boot: 'b3f1',
  monotonicMs: 81_234.5678,
  online: false,
  random: new Uint8Array(10).fill(0xff),
};
const input: EventInput = { action: 'item.reveal', actor: { id: 'u_7' }, data: { vault: 'v_1' } };
const codeOfLeaf = (change: object): unknown => {
  try {
    makeLeaf({ ...input, ...change }, stamp, null);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('an event as a leaf', () => {
  it('is one line that ingest takes, with the members in their order', () => {
    const leaf = makeLeaf({ ...input, session: 's_9' }, stamp, { size: 4000, time: 1_795_341_600 });
    expect(parseLeaf(leaf.bytes).ok).toBe(true);
    expect(utf8Text(leaf.bytes)).toBe(
      `{"id":"${leaf.id}","time":"2026-11-22T10:00:00.123Z","action":"item.reveal","actor":{"id":"u_7"},` +
        '"outcome":"success","online":false,"clock":{"boot":"b3f1","ms":81234.6},' +
        '"seen":{"size":4000,"time":1795341600},"session":"s_9","data":{"vault":"v_1"}}',
    );
  });

  it('has a UUIDv7 that carries the time, with version and variant', () => {
    expect(uuidV7(Date.parse('2022-02-22T19:22:22.000Z'), new Uint8Array(10))).toBe(
      '017f22e2-79b0-7000-8000-000000000000',
    );
    expect(uuidV7(0, new Uint8Array(10).fill(0xff))).toBe('00000000-0000-7fff-bfff-ffffffffffff');
  });

  it('has no line feed, whatever the data holds', () => {
    const { bytes } = makeLeaf({ ...input, data: { text: 'a\nb\r\u2028' } }, stamp, null);
    expect(bytes.includes(10)).toBe(false);
  });

  const invalid: [string, object, string][] = [
    ['no actor', { actor: undefined }, 'ERR_EVENT_INVALID'],
    ['an empty actor id', { actor: { id: '' } }, 'ERR_EVENT_INVALID'],
    ['an outcome that is none', { outcome: 'maybe' }, 'ERR_EVENT_INVALID'],
    [
      '65 targets',
      { targets: Array.from({ length: 65 }, () => ({ type: 'i', id: '1' })) },
      'ERR_EVENT_INVALID',
    ],
    ['a target without id', { targets: [{ type: 'item' }] }, 'ERR_EVENT_INVALID'],
    ['data that is a list', { data: [1] }, 'ERR_EVENT_INVALID'],
    ['data that is a string', { data: 'x' }, 'ERR_EVENT_INVALID'],
    ['a lone surrogate', { data: { text: '\ud800' } }, 'ERR_EVENT_INVALID'],
    ['a lone surrogate in a name', { data: { '\udc00': 1 } }, 'ERR_EVENT_INVALID'],
    ['a member named __proto__', { data: JSON.parse('{"a":{"__proto__":1}}') }, 'ERR_EVENT_INVALID'],
    ['a cycle', { data: cycle() }, 'ERR_EVENT_INVALID'],
    ['a BigInt', { data: { n: 1n } }, 'ERR_EVENT_INVALID'],
    ['nine levels', { data: nested(LIMITS.jsonDepthMax + 1) }, 'ERR_EVENT_INVALID'],
    ['too many bytes', { data: { text: 'x'.repeat(LIMITS.leafBytesMax) } }, 'ERR_EVENT_TOO_LARGE'],
  ];
  it.each(invalid)('%s is refused', (_, change, code) => {
    expect(codeOfLeaf(change)).toBe(code);
  });

  const valid: [string, object][] = [
    ['an emoji', { data: { text: '🔑' } }],
    ['text that looks like an escaped surrogate', { data: { text: '\\ud800' } }],
    ['eight levels', { data: nested(LIMITS.jsonDepthMax) }],
    ['a date', { data: { at: new Date(0) } }],
    ['no data', { data: undefined }],
  ];
  it.each(valid)('%s is taken, here and by ingest', (_, change) => {
    const leaf = makeLeaf({ ...input, action: 'app.test', ...change }, stamp, null);
    expect(parseLeaf(leaf.bytes)).toMatchObject({ ok: true });
  });
});

function cycle(): object {
  const data: { self?: object } = {};
  data.self = data;
  return data;
}

function nested(levels: number): object {
  let data: object = { end: true };
  for (let level = 1; level < levels; level++) data = { in: data };
  return data;
}
