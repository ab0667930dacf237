import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createLogger } from '../../src/logging.ts';
import { readAppendBody } from '../../src/http/append-body.ts';
import { installHttp } from '../../src/http/install.ts';
import { registerRoutes } from '../../src/http/register.ts';
import { route } from '../../src/http/route.ts';
import { serverOptions } from '../../src/http/server-options.ts';
import { eventually } from '../harness.ts';

const append = route({
  method: 'POST',
  path: '/v1/append',
  operationId: 'append',
  tag: 'logs',
  summary: 'A test.',
  access: 'device',
  body: 'append',
  answers: { 200: { description: 'ok', schema: z.unknown() } },
  handle: async ({ request }) => {
    const read = await readAppendBody(request.raw, () => ({ ok: true, value: undefined }), request.bodyClaim);
    return read.ok ? { status: 200, body: {} } : { fault: read.fault };
  },
});

let app: FastifyInstance;
let lines: string[];
let statuses: number[];
let sockets: Socket[];
beforeEach(async () => {
  lines = [];
  statuses = [];
  sockets = [];
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  app = fastify(serverOptions({ headersTimeoutMs: 500, requestTimeoutMs: 1000 }, logger));
  installHttp(app, (_method, _route, status) => void statuses.push(status));
  const gate = { authenticate: async () => null, reaches: async () => false };
  registerRoutes(app, [append], { gate, trustedProxies: [] });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
});

/** A peer that never ends its side of a connection by itself, and does not mind how the other side does. */
async function peer(start: string | Buffer): Promise<Socket> {
  const { port } = app.server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.resume();
  socket.write(start);
  return socket;
}

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

const HEAD = 'POST /v1/append HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n';

describe('a connection', () => {
  it('whose peer sends more than is read of any body is closed (INV-14)', async () => {
    const socket = await peer(`${HEAD}content-length: 1000000000\r\n\r\n`);
    socket.write(Buffer.alloc(8 * 1024 * 1024, 'x'));
    await eventually(() => statuses.length === 1);
    await eventually(async () => (await openConnections()) === 0);
    expect(statuses).toEqual([413]);
  });

  it('that is too slow is closed even if its peer keeps its side open (INV-14)', async () => {
    await peer(`${HEAD}content-length: 9\r\n\r\nold`);
    await peer('POST /v1/append HTTP/1.1\r\nhost: ');
    // And one that says nothing at all.
    await peer('');
    await eventually(async () => (await openConnections()) === 3);
    await eventually(async () => (await openConnections()) === 0);
  });

  it('that ends in the middle of a body is no error of ours', async () => {
    const socket = await peer(`${HEAD}content-length: 9\r\n\r\nold`);
    await eventually(async () => (await openConnections()) === 1);
    socket.destroy();
    await eventually(() => lines.some((line) => line.includes('"request.aborted"')));
    expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
