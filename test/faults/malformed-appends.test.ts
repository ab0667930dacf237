import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS, utf8, type Bytes, type ErrorCode } from '@tachograph/wire';
import { admin } from '../support/admin.ts';
import { enrolDevice, post, sendLeaves, TestDevice, testLeaf, type Answer } from '../support/device.ts';
import { feedOf } from '../support/feed.ts';
import { expectProblem } from '../support/problem.ts';
import { rawExchange } from '../support/raw-http.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const TENANT = 'demo';

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
let honest: TestDevice;
beforeAll(async () => {
  dir = await tempDir();
  server = await serve({
    dataDir: dir.path,
    env: { HEADERS_TIMEOUT_SECONDS: '1', REQUEST_TIMEOUT_SECONDS: '2' },
  });
  await admin(server, 'POST', '/tenants', { id: 'globex', name: 'Globex' });
  honest = await enrolDevice(server, TENANT);
});
afterAll(async () => {
  await server?.stop();
  await dir?.remove();
});

/** Whatever was sent to its log before: the next honest append is taken. */
afterEach(async () => {
  honest.record(1);
  expect((await sendLeaves(server, honest, honest.leaves.length - 1)).status).toBe(200);
});

/** The honest device's log with other leaves behind what is accepted. */
function withNext(...leaves: Bytes[]): { device: TestDevice; old: number } {
  const device = honest.clone();
  const old = device.leaves.length;
  device.leaves.push(...leaves);
  return { device, old };
}

async function nextAppend(...leaves: Bytes[]): Promise<Bytes> {
  const { device, old } = withNext(...leaves);
  return device.append(old);
}

function edited(body: Bytes, from: string | RegExp, to: string): Bytes {
  const text = Buffer.from(body).toString('latin1');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error('the edit changes nothing');
  return new Uint8Array(Buffer.from(changed, 'latin1'));
}

function postAppend(body: Bytes | string, path = honest.path, contentType = 'text/plain'): Promise<Answer> {
  return post(`${server.url}${path}`, body, { 'content-type': contentType });
}

const two = (): Promise<Bytes> => nextAppend(testLeaf(), testLeaf());
const ofBytes = (bytes: number): Bytes => testLeaf({ data: { padding: 'x'.repeat(bytes) } });
const old = () => honest.leaves.length;

type Case = {
  readonly what: string;
  readonly code: ErrorCode;
  readonly body: () => Promise<Bytes>;
  readonly where?: { field?: string; limit?: number };
};

const CASES: readonly Case[] = [
  { what: 'is empty', code: 'ERR_APPEND', body: async () => utf8('') },
  { what: 'is cut in its checkpoint', code: 'ERR_APPEND', body: async () => (await two()).slice(0, 60) },
  { what: 'is cut in its last leaf', code: 'ERR_APPEND', body: async () => (await two()).slice(0, -3) },
  {
    what: 'lacks its last leaf',
    code: 'ERR_LEAF_COUNT',
    body: async () => edited(await two(), /[^\n]+\n$/, ''),
    where: { field: 'leaves' },
  },
  {
    what: 'goes on after its last leaf',
    code: 'ERR_LEAF_COUNT',
    body: async () => edited(await two(), /$/, '{}\n'),
    where: { field: 'leaves' },
  },
  {
    what: 'has one more byte',
    code: 'ERR_LEAF_COUNT',
    body: async () => edited(await two(), /$/, 'x'),
    where: { field: 'leaves' },
  },
  {
    what: 'counts from another size',
    code: 'ERR_LEAF_COUNT',
    body: async () => edited(await two(), `old ${old()}`, `old ${old() + 1}`),
  },
  {
    what: 'counts from beyond its checkpoint',
    code: 'ERR_LEAF_COUNT',
    body: async () => edited(await two(), `old ${old()}`, `old ${old() + 3}`),
    where: { field: 'old' },
  },
  {
    what: 'has an old with a leading zero',
    code: 'ERR_NUMBER',
    body: async () => edited(await two(), 'old ', 'old 0'),
    where: { field: 'old' },
  },
  {
    what: 'has an old beyond 2^53',
    code: 'ERR_NUMBER',
    body: async () => edited(await two(), /^old [0-9]+/, 'old 9007199254740993'),
    where: { field: 'old' },
  },
  {
    what: 'is not UTF-8 before its leaves',
    code: 'ERR_APPEND',
    body: async () => edited(await two(), 'old', '\xff\xfe'),
  },
  {
    what: 'has an extension line in its checkpoint',
    code: 'ERR_CHECKPOINT',
    body: async () => edited(await two(), '\n\n\xe2', '\nextension\n\n\xe2'),
  },
  {
    what: 'has a root in base64 with stray bits',
    code: 'ERR_CHECKPOINT',
    body: async () => edited(await two(), /\n[A-Za-z0-9+/]{43}=\n/, `\n${'A'.repeat(42)}B=\n`),
  },
  {
    what: 'has a signature in base64 with stray bits',
    code: 'ERR_NOTE',
    body: async () => edited(await two(), /(\xe2[^\n]+)[A-Za-z0-9+/]{3}=\n/, '$1AAB=\n'),
  },
  {
    what: 'is HTML',
    code: 'ERR_APPEND',
    body: async () => utf8('<!doctype html>\n<title>Welcome</title>\n'),
  },
  {
    what: 'is half of a gzip',
    code: 'ERR_ENCODING',
    body: async () => new Uint8Array(gzipSync(await two()).subarray(0, 90)),
  },
  {
    what: 'is gzip with a wrong checksum',
    code: 'ERR_ENCODING',
    body: async () => {
      const zipped = new Uint8Array(gzipSync(await two()));
      zipped[zipped.length - 5]! ^= 1;
      return zipped;
    },
  },
  { what: 'only starts as gzip', code: 'ERR_ENCODING', body: async () => Uint8Array.of(0x1f, 0x8b) },
  {
    what: 'has a leaf above its limit',
    code: 'ERR_LEAF_TOO_LARGE',
    body: () => nextAppend(ofBytes(LIMITS.leafBytesMax)),
    where: { limit: LIMITS.leafBytesMax },
  },
  {
    what: 'is above its limit in all',
    code: 'ERR_BODY_TOO_LARGE',
    body: () => nextAppend(...Array.from({ length: 20 }, () => ofBytes(30_000))),
    where: { limit: LIMITS.appendBytesMax },
  },
  {
    what: 'has more leaves than its limit',
    code: 'ERR_TOO_MANY_LEAVES',
    body: () => nextAppend(...Array.from({ length: LIMITS.appendLeavesMax + 1 }, () => utf8('{}'))),
    where: { limit: LIMITS.appendLeavesMax },
  },
  {
    what: 'has a note above its limit',
    code: 'ERR_NOTE_TOO_LARGE',
    body: async () => edited(await two(), '\n\n\xe2', `\n${'x'.repeat(LIMITS.noteBytesMax)}\n\n\xe2`),
    where: { limit: LIMITS.noteBytesMax },
  },
  {
    what: 'has more signatures than a note may',
    code: 'ERR_NOTE',
    body: async () => edited(await two(), /(\xe2[^\n]+\n)/, '$1'.repeat(LIMITS.noteSignaturesMax + 1)),
  },
  {
    what: 'has another root than its leaves',
    code: 'ERR_ROOT_MISMATCH',
    body: async () => edited(await two(), /"outcome":"success"/, '"outcome":"failure"'),
  },
  {
    what: 'names another tenant than its address',
    code: 'ERR_ORIGIN_MISMATCH',
    body: async () => edited(await two(), /localhost\/demo\//g, 'localhost/globex/'),
  },
  {
    what: 'is signed by another key under the name of this device',
    code: 'ERR_SIGNATURE',
    body: async () => {
      const stranger = await TestDevice.create('localhost', TENANT);
      stranger.leaves.push(...honest.leaves, testLeaf());
      return edited(await stranger.append(old()), new RegExp(stranger.device, 'g'), honest.device);
    },
  },
  {
    what: 'has the signature of another checkpoint',
    code: 'ERR_SIGNATURE',
    body: async () => {
      const { device } = withNext(testLeaf(), testLeaf());
      const [, signature = ''] = /\n(\u2014[^\n]+)\n$/.exec(await device.checkpoint(old() + 1)) ?? [];
      const latin1 = Buffer.from(signature).toString('latin1');
      return edited(await device.append(old()), /\xe2[^\n]+/, latin1);
    },
  },
];

describe('a malformed append', () => {
  it.each(CASES)('that $what gets $code (INV-14)', async ({ code, body, where }) => {
    const answer = await postAppend(await body());
    expectProblem(answer, answer.headers.get('content-type'), code, where);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('for an address of another tenant or device reaches neither (INV-17)', async () => {
    const body = await two();
    const other = await enrolDevice(server, 'globex');
    for (const path of [other.path, honest.path.replace(`/${TENANT}/`, '/globex/')]) {
      const answer = await postAppend(body, path);
      expectProblem(answer, answer.headers.get('content-type'), 'ERR_ORIGIN_MISMATCH');
    }
  });

  it('of a device that is not enrolled, or of no tenant at all, is unknown', async () => {
    for (const [tenant, code] of [
      [TENANT, 'ERR_UNKNOWN_DEVICE'],
      ['nowhere', 'ERR_UNKNOWN_TENANT'],
    ] as const) {
      const stranger = await TestDevice.create('localhost', tenant);
      stranger.record(1);
      const answer = await postAppend(await stranger.append(0), stranger.path);
      expectProblem(answer, answer.headers.get('content-type'), code);
    }
  });

  it.each([
    `/v1/logs/ACME/${'A'.repeat(43)}`,
    '/v1/logs/demo/nobody',
    `/v1/logs/demo/${'A'.repeat(42)}B`,
    `/v1/logs/%2e%2e%2fdemo/${'A'.repeat(43)}`,
    `/v1/logs/__proto__/${'A'.repeat(43)}`,
  ])('to %s is refused by its names', async (path) => {
    const answer = await postAppend(await two(), path);
    expectProblem(answer, answer.headers.get('content-type'), 'ERR_NAME');
  });

  it.each(['application/json', 'application/octet-stream', 'multipart/form-data; boundary=x', 'nonsense'])(
    'of the media type %s is refused',
    async (contentType) => {
      const answer = await postAppend(await two(), honest.path, contentType);
      expectProblem(answer, answer.headers.get('content-type'), 'ERR_MEDIA_TYPE');
    },
  );

  it('without a media type is refused', async () => {
    const body = await two();
    const answer = await rawExchange(server.port, (socket) => {
      socket.write(`POST ${honest.path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`);
      socket.write(`content-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
    expectProblem(answer, answer.contentType, 'ERR_MEDIA_TYPE');
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'GET'])('by %s finds nothing', async (method) => {
    const reply = await fetch(`${server.url}${honest.path}`, { method });
    const answer = { status: reply.status, body: (await reply.json()) as Answer['body'] };
    expectProblem(answer, reply.headers.get('content-type'), 'ERR_NOT_FOUND');
  });

  it('leaves the honest log without a gap, whatever was sent to it (INV-08, INV-11)', async () => {
    const feed = await feedOf(server.dataDir, honest.origin, honest.leaves.length);
    expect(feed.map(({ sequence }) => Number(sequence))).toEqual(honest.leaves.map((_, i) => i));
    const ids = honest.leaves.map((leaf) => (JSON.parse(Buffer.from(leaf).toString()) as { id: string }).id);
    expect(feed.map(({ data }) => data?.id)).toEqual(ids);
    // No bug was met on the way: a failed request would stand there as an error.
    expect(server.output()).not.toMatch(/"level":"(error|fatal)"/);
  });
});
