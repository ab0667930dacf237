import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Load over HTTP/1.1 that costs its own process as little as can be: requests are bytes prepared beforehand, and of
 * an answer only its status and its length are read. The same for whoever is measured.
 */

const HEAD_END = '\r\n\r\n';

/** The bytes of a `POST`. */
export function post(path, contentType, body) {
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}`;
  return Buffer.concat([Buffer.from(head + HEAD_END, 'latin1'), body]);
}

/** One connection that is kept alive and has one request at a time. */
export class LoadConnection {
  #socket;
  #received = null;
  #settle = null;

  static async open(port) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new LoadConnection(socket);
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('the connection was closed')));
  }

  /** Sends the bytes of a request; resolves when it is answered with 200. */
  send(request) {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close() {
    this.#settle = null;
    this.#socket.destroy();
  }

  #take(chunk) {
    const received = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    this.#received = received;
    const end = received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = received.latin1Slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const whole = length === undefined ? Number.NaN : end + HEAD_END.length + Number(length);
    if (received.length < whole) return;
    this.#received = null;
    const { resolve, reject } = this.#settle;
    this.#settle = null;
    if (received.length === whole && head.startsWith('HTTP/1.1 200 ')) resolve();
    else reject(new Error(`not a 200 of known length:\n${received.toString('utf8')}`));
  }
}

/**
 * Sends `requests[i]` one after the other over `connections[i]`, all connections at once.
 *
 * @returns seconds of it all, and the milliseconds of each request
 */
export async function load(connections, requests) {
  const waitsMs = [];
  const start = performance.now();
  await Promise.all(
    connections.map(async (connection, i) => {
      for (const request of requests[i]) {
        const sent = performance.now();
        await connection.send(request);
        waitsMs.push(performance.now() - sent);
      }
    }),
  );
  return { seconds: (performance.now() - start) / 1000, waitsMs };
}
