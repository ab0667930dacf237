import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { utf8 } from '@tachograph/wire';
import { openHttpClient, type HttpClient, type HttpRequest } from '../../src/http/http-client.ts';
import { httpUrl } from '../../src/http/http-config.ts';
import { EXPORT_LIMITS } from '../../src/limits.ts';

describe('the HTTP client of the sinks', () => {
  let server: Server;
  let answer: RequestListener;
  let client: HttpClient;
  let url: string;

  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    url = `http://127.0.0.1:${address.port}/`;
    client = await openHttpClient({ tls: {}, timeoutMs: 500, now: () => Date.parse('2026-11-22T10:00:00Z') });
  });
  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });

  const send = (extra: Partial<HttpRequest> = {}): ReturnType<HttpClient['send']> =>
    client.send({ method: 'POST', url, headers: {}, ...extra }, new AbortController().signal);

  it('sends a body, compressed where asked, and answers status and text', async () => {
    const seen: { encoding: string | undefined; body: Buffer }[] = [];
    answer = (request, response) => {
      const take = async (): Promise<void> => {
        seen.push({ encoding: request.headers['content-encoding'], body: await bodyOf(request) });
        response.writeHead(202).end('taken');
      };
      void take();
    };
    expect(await send({ body: utf8('plain') })).toEqual({ status: 202, retryAfterMs: null, body: 'taken' });
    await send({ body: utf8('compressed'), gzip: true });
    expect(seen[0]).toEqual({ encoding: undefined, body: Buffer.from('plain') });
    expect(seen[1]!.encoding).toBe('gzip');
    expect(gunzipSync(seen[1]!.body).toString()).toBe('compressed');
  });

  it.each([
    ['7', 7_000],
    ['Sun, 22 Nov 2026 10:00:30 GMT', 30_000],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['-5', null],
    ['soon', null],
  ])('reads Retry-After: %s', async (header, expected) => {
    answer = (_request, response) => response.writeHead(503, { 'retry-after': header }).end();
    expect((await send()).retryAfterMs).toBe(expected);
  });

  it('follows no redirect', async () => {
    answer = (_request, response) => response.writeHead(307, { location: `${url}elsewhere` }).end();
    expect((await send()).status).toBe(307);
  });

  it('gives up on a destination that is silent, in the answer too', async () => {
    answer = () => undefined;
    await expect(send()).rejects.toThrow(/timeout/i);
    answer = (_request, response) => {
      response.writeHead(200);
      response.write('half');
    };
    await expect(send()).rejects.toThrow(/timeout/i);
  });

  it('reads no answer without an end', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x');
    answer = (_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', more);
      more();
    };
    await expect(send()).rejects.toThrow('too large');
    expect(EXPORT_LIMITS.httpAnswerBytesMax).toBeLessThan(64 * 1024 * 1024);
  });

  it('says why it cannot connect', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    await expect(send()).rejects.toThrow('ECONNREFUSED');
  });

  it.each(['ftp://a.example/', 'a.example', 'https://user:pass@a.example/'])(
    'takes no address like %s',
    (text) => {
      expect(httpUrl.safeParse(text).success).toBe(false);
    },
  );
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
