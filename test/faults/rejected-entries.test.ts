import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { toBase64Url, utf8, type Bytes, type ErrorCode } from '@tachograph/wire';
import { enrolDevice, sendLeaves, testLeaf } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { feedOf } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
beforeAll(async () => {
  dir = await tempDir();
  server = await serve({ dataDir: dir.path });
});
afterAll(async () => {
  await server?.stop();
  await dir?.remove();
});

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const event = (): string => Buffer.from(testLeaf()).toString();

const CONTENT: readonly (readonly [ErrorCode, () => Bytes])[] = [
  ['ERR_LEAF_EMPTY', () => utf8('')],
  ['ERR_LEAF_UTF8', () => Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d)],
  ['ERR_LEAF_JSON', () => utf8('{"id":')],
  ['ERR_LEAF_JSON', () => utf8('[]')],
  ['ERR_LEAF_DUPLICATE_KEY', () => utf8(event().replace('{', '{"action":"item.hide",'))],
  ['ERR_LEAF_DUPLICATE_KEY', () => utf8(event().replace('{', '{"\\u0061ction":"item.hide",'))],
  ['ERR_LEAF_PROTO', () => utf8(event().replace('{', '{"__proto__":{"outcome":"failure"},'))],
  ['ERR_LEAF_SURROGATE', () => utf8(event().replace('u_7', '\\ud800'))],
  ['ERR_LEAF_DEPTH', () => utf8(event().replace('"v_1"', nested(10_000)))],
  ['ERR_LEAF_SCHEMA', () => testLeaf({ actor: 'u_7' })],
  ['ERR_LEAF_SCHEMA', () => testLeaf({ time: 'yesterday' })],
  ['ERR_LEAF_RESERVED', () => testLeaf({ action: 'device.revoked' })],
];

describe('entries that are no events', () => {
  it('keep their place among good ones, are told to their device, and are kept as dead letters (INV-11, INV-12, INV-13)', async () => {
    const device = await enrolDevice(server, 'demo');
    for (const [, leaf] of CONTENT) device.leaves.push(testLeaf(), leaf());
    device.record(1);
    const wanted = CONTENT.map(([code], i) => ({ index: 2 * i + 1, code }));
    const answer = await sendLeaves(server, device, 0);
    expect(answer.status).toBe(200);
    expect(answer.body['rejected']).toEqual(wanted);

    const feed = await feedOf(server.dataDir, device.origin, device.leaves.length);
    expect(feed.map(({ id }) => id.split('/')[1])).toEqual(device.leaves.map((_, i) => String(i)));
    expect(feed.filter(({ type }) => type === 'tachograph.rejected')).toHaveLength(CONTENT.length);
    const letters = await eventually('a dead letter for each', async () => {
      const own = (await deadLetters()).filter(({ source }) => source === device.origin);
      return own.length >= CONTENT.length ? own : null;
    });
    expect(letters.map(({ index, code }) => ({ index, code }))).toEqual(wanted);
    expect(letters.map(({ bytes }) => toBase64Url(bytes))).toEqual(
      wanted.map(({ index }) => toBase64Url(device.leaves[index]!)),
    );
  });
});

type DeadLetter = { source: string; index: number; code: string; bytes: Bytes };

async function deadLetters(): Promise<DeadLetter[]> {
  const lines = (await readFile(join(server.dataDir, 'export', 'dead-letters.ndjson'), 'utf8')).split('\n');
  return lines.slice(0, -1).map((line) => {
    const { headers, reason, data_base64 } = JSON.parse(line) as {
      headers: { [name: string]: string };
      reason: string;
      data_base64: string;
    };
    return {
      source: headers[HEADER.source] ?? '',
      index: Number(headers[HEADER.sequence]),
      code: reason,
      bytes: new Uint8Array(Buffer.from(data_base64, 'base64')),
    };
  });
}
