import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { z } from 'zod';
import { parseNetwork } from '../../src/core/network.ts';
import { HeldBytes } from '../../src/held-bytes.ts';
import { readAppendBody } from '../../src/http/append-body.ts';
import { BodyBudget } from '../../src/http/body-budget.ts';
import { installHttp } from '../../src/http/install.ts';
import { registerRoutes } from '../../src/http/register.ts';
import { route } from '../../src/http/route.ts';
import { serverOptions } from '../../src/http/server-options.ts';
import { eventually } from '../harness.ts';

const shared = {
  method: 'POST',
  tag: 'logs',
  summary: 'A test.',
  access: 'device',
  answers: { 200: { description: 'ok', schema: z.unknown() } },
} as const;

const ROUTES = [
  route({
    ...shared,
    path: '/v1/append',
    operationId: 'append',
    body: 'append',
    handle: async ({ request }) => {
      const read = await readAppendBody(
        request.raw,
        () => ({ ok: true, value: undefined }),
        request.bodyClaim,
      );
      return read.ok ? { status: 200, body: {} } : { fault: read.fault };
    },
  }),
  route({
    ...shared,
    path: '/v1/json',
    operationId: 'json',
    body: z.object({ text: z.string() }),
    handle: async () => ({ status: 200, body: {} }),
  }),
];

const KIB = 1024;

let budget: BodyBudget;
let app: FastifyInstance;
let url: string;
let sockets: Socket[];
beforeEach(async () => {
  budget = new BodyBudget(new HeldBytes(1024 * KIB), { totalMax: 100 * KIB, senderMax: 60 * KIB });
  sockets = [];
  const logger = pino({ level: 'silent' });
  app = fastify(serverOptions({ headersTimeoutMs: 5000, requestTimeoutMs: 5000 }, logger));
  installHttp(app, () => undefined);
  registerRoutes(app, ROUTES, {
    gate: { authenticate: async () => null, reaches: async () => false },
    trustedProxies: [parseNetwork('127.0.0.1')!],
    bodies: budget,
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
});

/** Sends `bytes` of a body that never ends. */
async function stall(path: string, contentType: string, sender: string, bytes: number): Promise<Socket> {
  const before = budget.heldBytes;
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${sender}\r\n`);
  socket.write(`content-type: ${contentType}\r\ncontent-length: ${bytes + 1}\r\n\r\n`);
  socket.write('x'.repeat(bytes));
  await eventually(() => budget.heldBytes === before + bytes);
  return socket;
}

async function send(path: string, sender: string, bytes: number | Uint8Array<ArrayBuffer>) {
  const isJson = path.endsWith('json');
  const headers = { 'content-type': isJson ? 'application/json' : 'text/plain', 'x-forwarded-for': sender };
  const text = typeof bytes === 'number' ? 'x'.repeat(bytes) : bytes;
  const body = isJson ? JSON.stringify({ text }) : text;
  const reply = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  return [reply.status, ((await reply.json()) as { code?: string }).code];
}

const REFUSED = [503, 'ERR_OVERLOADED'];

describe('bodies that arrive and do not end', () => {
  it.each([
    ['an append', '/v1/append', 'text/plain'],
    ['JSON', '/v1/json', 'application/json'],
    ['JSON for nobody', '/v1/nothing', 'application/json'],
  ])(
    'as %s take no more memory than one sender gets, and leave room for others (INV-14)',
    async (_what, path, type) => {
      const stalled = await stall(path, type, '192.0.2.1', 50 * KIB);
      expect(await send('/v1/append', '192.0.2.1', 20 * KIB)).toEqual(REFUSED);
      expect(await send('/v1/json', '192.0.2.1', 20 * KIB)).toEqual(REFUSED);
      expect(await send('/v1/append', '192.0.2.2', 20 * KIB)).toEqual([200, undefined]);
      expect(await send('/v1/json', '192.0.2.2', 20 * KIB)).toEqual([200, undefined]);
      stalled.destroy();
      await eventually(() => budget.heldBytes === 0);
      expect(await send('/v1/append', '192.0.2.1', 50 * KIB)).toEqual([200, undefined]);
    },
  );

  it('of many senders take no more than all may together (INV-14)', async () => {
    await stall('/v1/append', 'text/plain', '192.0.2.1', 50 * KIB);
    await stall('/v1/append', 'text/plain', '192.0.2.2', 40 * KIB);
    expect(await send('/v1/append', '192.0.2.3', 20 * KIB)).toEqual(REFUSED);
    expect(await send('/v1/append', '192.0.2.3', 5 * KIB)).toEqual([200, undefined]);
  });

  it('count as what they inflate to (INV-14)', async () => {
    const zipped = new Uint8Array(gzipSync(Buffer.alloc(80 * KIB)));
    expect(zipped.length).toBeLessThan(KIB);
    expect(await send('/v1/append', '192.0.2.1', zipped)).toEqual(REFUSED);
    await eventually(() => budget.heldBytes === 0);
  });
});
