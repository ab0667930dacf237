import { once } from 'node:events';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { Certificate } from '../../../../test/support/certificates.ts';

export type SyslogServer = {
  readonly port: number;
  /** Every message that came, oldest first. */
  readonly messages: string[];
  /** Ends the connections that there are, and the next one that comes. */
  readonly breakOnce: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Takes syslog with octet counting over TLS, or over TCP where there is no certificate. */
export async function syslogServer(certificate: Certificate | null): Promise<SyslogServer> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  let isBroken = false;
  const take = (socket: Socket): void => {
    let rest = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const space = rest.indexOf(0x20);
        const length = space < 0 ? NaN : Number(rest.subarray(0, space).toString());
        if (Number.isNaN(length) || rest.length < space + 1 + length) return;
        messages.push(rest.subarray(space + 1, space + 1 + length).toString());
        rest = rest.subarray(space + 1 + length);
      }
    });
  };
  const server =
    certificate === null
      ? createTcpServer(take)
      : createTlsServer({ cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }, take);
  server.on('connection', (socket: Socket) => {
    if (isBroken) {
      isBroken = false;
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    port: address.port,
    messages,
    breakOnce: async () => {
      isBroken = true;
      await Promise.all(
        [...sockets].map((socket) => {
          const closed = once(socket, 'close');
          socket.end();
          return closed;
        }),
      );
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** MSG of a message: what stands behind the structured data. */
export function messagePart(message: string): string {
  let at = message.indexOf('[');
  // In a parameter's value a bracket is escaped.
  do at = message.indexOf(']', at + 1);
  while (message[at - 1] === '\\');
  return message.slice(at + 2);
}
