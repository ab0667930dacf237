import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS, type Bytes } from '@tachograph/wire';
import { enrolDevice, post, sendLeaves, type Answer, type TestDevice } from '../support/device.ts';
import { forgetPeak, residentBytes } from '../support/memory.ts';
import { expectProblem } from '../support/problem.ts';
import { rawExchange } from '../support/raw-http.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 1024 * 1024;
const BOMB = new Uint8Array(gzipSync(Buffer.alloc(200 * MIB), { level: 9 }));
/** What the server may take beyond what it has, however large what is sent to it would become. */
const GROWTH_MAX = 32 * MIB;

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
let honest: TestDevice;
beforeAll(async () => {
  dir = await tempDir();
  server = await serve({
    dataDir: dir.path,
    env: { HEADERS_TIMEOUT_SECONDS: '1', REQUEST_TIMEOUT_SECONDS: '2' },
  });
  honest = await enrolDevice(server, 'demo');
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

function postAppend(body: Bytes): Promise<Answer> {
  return post(`${server.url}${honest.path}`, body);
}

describe('a request that is no HTTP, or never ends', () => {
  it('with 10,000 headers is refused (INV-14)', async () => {
    const answer = await rawExchange(server.port, (socket) => {
      socket.write(`POST ${honest.path} HTTP/1.1\r\nhost: x\r\n`);
      socket.write(Array.from({ length: 10_000 }, (_, i) => `x-${i}: 1\r\n`).join(''));
      socket.write('\r\n');
    });
    expectProblem(answer, answer.contentType, 'ERR_REQUEST');
  });

  it('with a length and chunks at once is refused, as a proxy could read it otherwise', async () => {
    const answer = await rawExchange(server.port, (socket) => {
      socket.write(`POST ${honest.path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n`);
      socket.write(
        'content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n',
      );
    });
    expectProblem(answer, answer.contentType, 'ERR_REQUEST');
  });

  it('is ended in time, in its headers as in its body (INV-14)', async () => {
    const slow = await Promise.all([
      rawExchange(server.port, (socket) => socket.write(`POST ${honest.path} HTTP/1.1\r\nhost: x\r\nx-`)),
      rawExchange(server.port, (socket) => {
        socket.write(`POST ${honest.path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n`);
        socket.write('transfer-encoding: chunked\r\n\r\n4\r\nold \r\n');
      }),
    ]);
    for (const answer of slow) expectProblem(answer, answer.contentType, 'ERR_TIMEOUT');
  });
});

describe('a body that inflates to 200 MiB', () => {
  it('is refused, eight at once too, and costs the server little memory (INV-14)', async () => {
    expect(BOMB.length).toBeLessThan(LIMITS.appendBytesMax);
    const before = (await residentBytes(server.pid)).now;
    await forgetPeak(server.pid);
    for (const bombs of [1, 8]) {
      const answers = await Promise.all(Array.from({ length: bombs }, () => postAppend(BOMB)));
      for (const answer of answers) {
        expectProblem(answer, answer.headers.get('content-type'), 'ERR_BODY_TOO_LARGE', {
          limit: LIMITS.appendBytesMax,
        });
      }
    }
    expect((await residentBytes(server.pid)).peak - before).toBeLessThan(GROWTH_MAX);
  });

  it('costs no more when it is sent as it is (INV-14)', async () => {
    const before = (await residentBytes(server.pid)).now;
    await forgetPeak(server.pid);
    const answer = await rawExchange(server.port, (socket) => {
      socket.write(
        `POST ${honest.path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nconnection: close\r\n`,
      );
      socket.write(`content-length: ${MIB}\r\n\r\n`);
      socket.write(Buffer.alloc(MIB, 'old 0\n'));
    });
    expect(answer.body['code']).toBe('ERR_APPEND');
    // Whether the answer still gets through to a sender that does not stop, or it is cut off, is chance.
    const outcome = await postAppend(new Uint8Array(200 * MIB)).then(
      ({ body }) => body['code'],
      () => 'cut off',
    );
    expect(['ERR_APPEND', 'cut off']).toContain(outcome);
    expect((await residentBytes(server.pid)).peak - before).toBeLessThan(GROWTH_MAX);
  });
});
