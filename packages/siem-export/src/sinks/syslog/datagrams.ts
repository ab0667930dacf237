import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Bytes } from '@tachograph/wire';

/** Sends each message as one datagram (RFC 5426). Nobody knows whether it comes. */
export class Datagrams {
  readonly #host: string;
  readonly #port: number;
  #socket: ReturnType<typeof createSocket> | null = null;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async write(messages: readonly Bytes[]): Promise<void> {
    const { address, family } = await lookup(this.#host);
    const socket = (this.#socket ??= createSocket(family === 6 ? 'udp6' : 'udp4').unref());
    for (const message of messages) {
      await new Promise<void>((resolve, reject) => {
        socket.send(message, this.#port, address, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
    }
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    await new Promise<void>((resolve) => {
      socket.close(() => resolve());
    });
  }
}
