import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import createSocketFactory from 'kafkajs/src/network/socketFactory.js';

/**
 * The connections of one log, so that its close ends all of them: kafkajs leaves some open after `disconnect()`, and
 * they would keep the process from ending.
 */
export class Sockets {
  readonly #open = new Set<Socket>();
  #closed = false;

  readonly factory: ISocketFactory = (options) => {
    if (this.#closed) throw new Error('this log is closed');
    const socket: Socket = createSocketFactory()(options);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.destroy();
  }
}
