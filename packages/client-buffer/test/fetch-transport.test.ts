import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { fetchTransport } from '../src/fetch-transport.ts';
import { FakeClock, makeWorld, record } from './support/harness.ts';

const ENDPOINT = 'https://audit.example.com';
const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const clock = new FakeClock();
const transport = fetchTransport(`${ENDPOINT}/`, clock.timers);
const post = (body: Uint8Array<ArrayBuffer>, keepalive = false) =>
  transport.send({ method: 'POST', path: '/v1/logs/acme/d', contentType: 'text/plain', body, keepalive });

describe('fetch transport', () => {
  it('stays CORS-simple: text/plain, no header of its own, no credentials', async () => {
    let seen: Request | undefined;
    server.use(
      http.post(`${ENDPOINT}/v1/logs/acme/d`, ({ request }) => {
        seen = request;
        return HttpResponse.json({});
      }),
    );
    await post(new Uint8Array(10));
    expect([...seen!.headers.keys()].filter((name) => name !== 'content-type')).toEqual([]);
    expect(seen!.headers.get('content-type')).toBe('text/plain');
    expect(seen!.credentials).toBe('omit');
  });

  it('compresses what is large, and not what leaves with the page', async () => {
    const sizes: number[] = [];
    server.use(
      http.post(`${ENDPOINT}/v1/logs/acme/d`, async ({ request }) => {
        sizes.push((await request.arrayBuffer()).byteLength);
        return HttpResponse.json({});
      }),
    );
    await post(new Uint8Array(1_000));
    await post(new Uint8Array(50_000));
    await post(new Uint8Array(50_000), true);
    expect(sizes[0]).toBe(1_000);
    expect(sizes[1]).toBeLessThan(500);
    expect(sizes[2]).toBe(50_000);
  });

  it('answers a redirect, a broken network and an endless wait as failures', async () => {
    server.use(
      http.post(`${ENDPOINT}/v1/logs/acme/d`, () => HttpResponse.redirect('https://portal.example/', 302)),
    );
    expect((await post(new Uint8Array(1))).kind).toBe('failure');
    server.use(http.post(`${ENDPOINT}/v1/logs/acme/d`, () => HttpResponse.error()));
    expect((await post(new Uint8Array(1))).kind).toBe('failure');
    server.use(http.post(`${ENDPOINT}/v1/logs/acme/d`, () => new Promise<never>(() => undefined)));
    const waiting = post(new Uint8Array(1));
    clock.advance(30_000);
    expect((await waiting).kind).toBe('failure');
  });

  it('hands on status, Retry-After and body', async () => {
    server.use(
      http.post(`${ENDPOINT}/v1/logs/acme/d`, () =>
        HttpResponse.text('busy', { status: 503, headers: { 'Retry-After': '7' } }),
      ),
    );
    expect(await post(new Uint8Array(1))).toEqual({
      kind: 'answer',
      status: 503,
      retryAfter: '7',
      body: 'busy',
    });
  });

  it('carries the whole road: enrolment, appends in gzip, receipts', async () => {
    const world = await makeWorld();
    server.use(http.all(`${ENDPOINT}/*`, ({ request }) => world.ingest.handle(request)));
    const audit = world.open({ transport: fetchTransport(ENDPOINT, world.clock.timers) });
    await record(audit, 100);
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    expect(world.ingest.device.leaves).toHaveLength(100);
    await audit.close();
  });
});
