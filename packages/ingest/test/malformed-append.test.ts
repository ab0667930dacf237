import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS, utf8, type Bytes } from '@tachograph/wire';
import { AUTHORITY, Harness, TENANT, type Node } from './harness.ts';
import { TestDevice, testLeaf } from './test-device.ts';

let harness: Harness;
let node: Node;
let device: TestDevice;
beforeAll(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await node.ingest.ready();
  device = await harness.enrolled(node);
  device.record(2);
});
afterAll(() => harness.close());

function edit(body: Bytes, from: string | RegExp, to: string): Bytes {
  const text = Buffer.from(body).toString('latin1');
  const edited = text.replace(from, to);
  if (edited === text) throw new Error('the edit changes nothing');
  return new Uint8Array(Buffer.from(edited, 'latin1'));
}

const big = (bytes: number): Bytes => testLeaf({ data: { pad: 'x'.repeat(bytes) } });
/** As many leaves as `bytes` allow in one append of leaves of this size. */
function padded(count: number, bytes: number): TestDevice {
  const clone = device.clone();
  clone.leaves.splice(0, Infinity, ...Array.from({ length: count }, () => big(bytes)));
  return clone;
}

const cases: [string, number, string, () => Promise<Bytes>][] = [
  ['cut in its checkpoint', 400, 'ERR_APPEND', async () => (await device.append(0)).slice(0, 60)],
  ['cut in its last leaf', 400, 'ERR_APPEND', async () => (await device.append(0)).slice(0, -3)],
  ['a leaf short', 400, 'ERR_LEAF_COUNT', async () => edit(await device.append(0), /[^\n]+\n$/, '')],
  ['a leaf more', 400, 'ERR_LEAF_COUNT', async () => edit(await device.append(0), /$/, '{}\n')],
  ['another old', 400, 'ERR_LEAF_COUNT', async () => edit(await device.append(0), 'old 0', 'old 1')],
  [
    'an old that is no number',
    400,
    'ERR_NUMBER',
    async () => edit(await device.append(0), 'old 0', 'old 00'),
  ],
  [
    'an extra line in its checkpoint',
    400,
    'ERR_CHECKPOINT',
    async () => edit(await device.append(0), /\n\n\xe2/, '\nx\n\n\xe2'),
  ],
  [
    'a root that is not canonical base64',
    400,
    'ERR_CHECKPOINT',
    async () =>
      edit(await device.append(0), /\n[A-Za-z0-9+/]{42}[A-Za-z0-9+/]=\n/, `\n${'A'.repeat(42)}B=\n`),
  ],
  [
    'not UTF-8 before the leaves',
    400,
    'ERR_APPEND',
    async () => edit(await device.append(0), 'old', '\xff\xfe'),
  ],
  ['empty', 400, 'ERR_APPEND', async () => new Uint8Array()],
  ['HTML', 400, 'ERR_APPEND', async () => utf8('<html></html>\n')],
  [
    'half of a gzip',
    400,
    'ERR_ENCODING',
    async () => new Uint8Array(gzipSync(await device.append(0)).subarray(0, 90)),
  ],
  ['a leaf that is too large', 413, 'ERR_LEAF_TOO_LARGE', () => padded(1, LIMITS.leafBytesMax).append(0)],
  ['too large in all', 413, 'ERR_BODY_TOO_LARGE', () => padded(20, 30_000).append(0)],
  ['too many leaves', 413, 'ERR_TOO_MANY_LEAVES', () => padded(LIMITS.appendLeavesMax + 1, 0).append(0)],
  [
    'a bomb of 200 MiB',
    413,
    'ERR_BODY_TOO_LARGE',
    async () => new Uint8Array(gzipSync(Buffer.alloc(200 * 1024 * 1024, 'x'))),
  ],
];

describe('a malformed append', () => {
  it.each(cases)('that is %s is refused: %d %s', async (_name, status, code, make) => {
    const before = process.memoryUsage.rss();
    const answer = await node.post(device.path, await make());
    expect(answer).toMatchObject({ status, body: { code } });
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 1024 * 1024);
    expect(await node.records()).toEqual([]);
  });

  it('of another tenant, another device or by another key is refused by its address or its signature', async () => {
    const body = await device.append(0);
    const other = await harness.enrolled(node);
    expect(await node.post(other.path, body)).toMatchObject({
      status: 400,
      body: { code: 'ERR_ORIGIN_MISMATCH' },
    });
    expect(await node.post(device.path.replace(TENANT, 'globex'), body)).toMatchObject({
      status: 400,
      body: { code: 'ERR_ORIGIN_MISMATCH' },
    });
    const stranger = await TestDevice.create(AUTHORITY, TENANT);
    stranger.record(1);
    const forged = edit(await stranger.append(0), new RegExp(stranger.device, 'g'), device.device);
    expect(await node.post(device.path, forged)).toMatchObject({
      status: 403,
      body: { code: 'ERR_SIGNATURE' },
    });
    expect(await node.post(device.path, body, 'application/json')).toMatchObject({
      status: 415,
      body: { code: 'ERR_MEDIA_TYPE' },
    });
    expect(await node.post('/v1/logs/ACME/nobody', body)).toMatchObject({
      status: 400,
      body: { code: 'ERR_NAME' },
    });
    expect(await node.records()).toEqual([]);
  });

  it('does not keep the honest log from going on, plain or as gzip', async () => {
    expect((await node.send(device, 0, 1)).status).toBe(200);
    const body = await device.append(1, 2);
    expect((await node.post(device.path, new Uint8Array(gzipSync(body)))).status).toBe(200);
    expect(await node.recordsOf(device)).toHaveLength(2);
  });
});
