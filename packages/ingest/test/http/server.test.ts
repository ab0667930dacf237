import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { z } from 'zod';
import { ERRORS } from '@tachograph/wire';
import { readAppendBody } from '../../src/http/append-body.ts';
import { installHttp } from '../../src/http/install.ts';
import { problemOf } from '../../src/http/problem.ts';
import { registerRoutes, type Gate } from '../../src/http/register.ts';
import { route } from '../../src/http/route.ts';
import { RegistryUnavailableError } from '../../src/registry/unavailable.ts';
import { serverOptions } from '../../src/http/server-options.ts';

const answers = { 200: { description: 'ok', schema: z.unknown() } };
const shared = { tag: 'devices', summary: 'A test.', answers } as const;

const ROUTES = [
  route({
    ...shared,
    method: 'POST',
    path: '/v1/append/{name}',
    operationId: 'append',
    access: 'device',
    params: z.object({ name: z.string().max(5) }),
    body: 'append',
    handle: async ({ request, params }) => {
      const read = await readAppendBody(
        request.raw,
        () => ({ ok: true, value: undefined }),
        request.bodyClaim,
      );
      return read.ok ? { status: 200, body: params } : { fault: read.fault };
    },
  }),
  route({
    ...shared,
    method: 'POST',
    path: '/v1/json',
    operationId: 'json',
    access: 'public',
    body: z.object({ n: z.int() }),
    handle: async ({ body, address }) => ({ status: 200, body: { ...body, address } }),
  }),
  route({
    ...shared,
    method: 'GET',
    path: '/v1/fails',
    operationId: 'fails',
    access: 'public',
    handle: async () => {
      throw new Error('the password is hunter2');
    },
  }),
  route({
    ...shared,
    method: 'GET',
    path: '/v1/registry-away',
    operationId: 'registryAway',
    access: 'public',
    handle: async () => {
      throw new RegistryUnavailableError('the disk of /var/lib/secret is full');
    },
  }),
  route({
    ...shared,
    method: 'GET',
    path: '/v1/busy',
    operationId: 'busy',
    access: 'public',
    handle: async () => ({
      fault: { code: 'ERR_OVERLOADED', detail: 'try later' },
      extras: { retryAfterSeconds: 7 },
    }),
  }),
  route({
    ...shared,
    method: 'GET',
    path: '/admin/v1/thing',
    operationId: 'thing',
    access: 'admin',
    handle: async ({ admin }) => ({ status: 200, body: admin }),
  }),
];

const gate: Gate = {
  authenticate: async (token) => (token === 'good' ? { id: 'one', tenant: null } : null),
  reaches: async () => true,
};

const observed: string[] = [];
let app: FastifyInstance;
let url = '';
beforeAll(async () => {
  app = fastify(serverOptions({ headersTimeoutMs: 500, requestTimeoutMs: 1000 }, pino({ level: 'silent' })));
  installHttp(app, (method, path, status) => observed.push(`${method} ${path} ${status}`));
  registerRoutes(app, ROUTES, { gate, trustedProxies: [] });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

type Init = { method?: string; body?: string; headers?: Record<string, string> };
async function problem(path: string, init: Init = {}) {
  const reply = await fetch(`${url}${path}`, init);
  expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as { code: string } };
}
const json = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } });

describe('every failure is problem+json', () => {
  it.each([
    ['an unknown path', '/nothing', {}, 404, 'ERR_NOT_FOUND'],
    ['an unknown method', '/v1/json', { method: 'PATCH' }, 404, 'ERR_NOT_FOUND'],
    ['a path that cannot be decoded', '/v1/append/%E0%A4%A', { method: 'POST' }, 400, 'ERR_REQUEST'],
    ['broken JSON', '/v1/json', json('{"n":'), 400, 'ERR_REQUEST'],
    ['an empty JSON body', '/v1/json', json(''), 400, 'ERR_REQUEST'],
    ['JSON with __proto__', '/v1/json', json('{"n":1,"__proto__":{}}'), 400, 'ERR_REQUEST'],
    ['a field that is wrong', '/v1/json', json('{"n":"secret"}'), 400, 'ERR_REQUEST'],
    ['a body of another type', '/v1/json', { method: 'POST', body: '{"n":1}' }, 415, 'ERR_MEDIA_TYPE'],
    ['a JSON body beyond the limit', '/v1/json', json(`"${'x'.repeat(300_000)}"`), 413, 'ERR_BODY_TOO_LARGE'],
    ['an append of another type', '/v1/append/a', json('{}'), 415, 'ERR_MEDIA_TYPE'],
    ['a parameter that is wrong', '/v1/append/too-long', { method: 'POST', body: 'x' }, 400, 'ERR_NAME'],
    ['no token', '/admin/v1/thing', {}, 401, 'ERR_UNAUTHENTICATED'],
  ])('%s', async (_what, path, init, status, code) => {
    const answer = await problem(path, init);
    expect(answer).toMatchObject({
      status,
      body: {
        type: `urn:tachograph:error:${code}`,
        status,
        code,
        title: ERRORS[code as keyof typeof ERRORS].title,
      },
    });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('a bug says nothing of itself but an id', async () => {
    const { status, body } = await problem('/v1/fails');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(JSON.stringify(body)).toMatch(/Request id: [0-9a-f-]{36}/);
  });

  it('a registry that cannot serve is 503 with its code, and where it stands is not told', async () => {
    const { status, headers, body } = await problem('/v1/registry-away');
    expect([status, headers.get('retry-after')]).toEqual([503, '5']);
    expect(body).toMatchObject({ code: 'ERR_REGISTRY_UNAVAILABLE', retryAfterSeconds: 5 });
    expect(JSON.stringify(body)).not.toContain('/var/lib');
  });

  it('a wait is told in the body and in Retry-After', async () => {
    const { status, headers, body } = await problem('/v1/busy');
    expect([status, headers.get('retry-after')]).toEqual([503, '7']);
    expect(body).toMatchObject({ code: 'ERR_OVERLOADED', retryAfterSeconds: 7 });
  });

  it('a code that never crosses HTTP is a bug', () => {
    expect(problemOf({ code: 'ERR_CONFIG', detail: 'internal' })).toMatchObject({
      status: 500,
      code: 'ERR_INTERNAL',
    });
  });
});

describe('an append', () => {
  it.each(['text/plain', 'text/plain;charset=UTF-8', 'application/vnd.tachograph.append'])(
    'is taken as %s',
    async (type) => {
      const init = { method: 'POST', body: 'x', headers: { 'content-type': type } };
      const reply = await fetch(`${url}/v1/append/a`, init);
      expect([reply.status, await reply.json()]).toEqual([200, { name: 'a' }]);
    },
  );

  it('that is too large is answered before its sender gives up', async () => {
    const { status, body } = await problem('/v1/append/a', { method: 'POST', body: 'x'.repeat(1_500_000) });
    expect([status, body.code]).toEqual([413, 'ERR_BODY_TOO_LARGE']);
  });
});

describe('cross-origin', () => {
  it('lets any origin read what devices are answered, failures too, without credentials', async () => {
    for (const path of ['/v1/busy', '/v1/fails']) {
      const { headers } = await problem(path);
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toBe('Retry-After');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it('answers the preflight of enrolment', async () => {
    const reply = await fetch(`${url}/v1/json`, { method: 'OPTIONS' });
    expect(reply.status).toBe(204);
    expect(reply.headers.get('access-control-allow-methods')).toBe('POST');
    expect(reply.headers.get('access-control-allow-headers')).toContain('Content-Type');
  });

  it('leaves the control API to its own origin', async () => {
    const reply = await fetch(`${url}/admin/v1/thing`, { headers: { authorization: 'Bearer good' } });
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    expect((await problem('/admin/v1/thing', { method: 'OPTIONS' })).status).toBe(404);
  });
});

describe('the server', () => {
  it.each([
    ['headers', 'POST /v1/json HTTP/1.1\r\nhost: x\r\n'],
    [
      'a body',
      'POST /v1/json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ],
  ])('ends a request whose %s do not arrive in time', async (_part, start) => {
    const answer = await rawRequest(start);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"ERR_TIMEOUT"');
  });

  it('answers bytes that are no HTTP, and closes', async () => {
    const answer = await rawRequest('\u0016\u0003\u0001 hello\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"ERR_REQUEST"');
  });

  it('believes no forwarded address where no proxy is trusted', async () => {
    const init = json('{"n":1}');
    const headers = { ...init.headers, 'x-forwarded-for': '203.0.113.9' };
    const reply = await fetch(`${url}/v1/json`, { ...init, headers });
    expect(await reply.json()).toEqual({ n: 1, address: '127.0.0.1' });
  });

  it('counts requests by the pattern of their route', () => {
    expect(observed).toContain('POST /v1/append/:name 200');
    expect(observed).toContain('GET unmatched 404');
  });
});

/** Everything that the server sends on a connection until it closes it. */
async function rawRequest(start: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(start);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await once(socket, 'close');
  return answer;
}
