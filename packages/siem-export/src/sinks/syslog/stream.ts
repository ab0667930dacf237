import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Bytes } from '@tachograph/wire';
import { tlsOptions, type TlsConfig } from '../../http/http-config.ts';
import type { Logger } from '../../runtime.ts';

export type StreamOptions = {
  readonly host: string;
  readonly port: number;
  /** `null` is TCP without TLS. */
  readonly tls: TlsConfig | null;
  readonly timeoutMs: number;
  /** Messages that are written again when a connection has died: what its peer had not read. */
  readonly overlapMax: number;
  readonly logger: Logger;
};

const RECONNECT_MS = 1_000;

/**
 * A connection for messages that nobody acknowledges. What was written is with the kernels in between, not with the
 * receiver: when a connection dies, its last messages are written again over the next one, before anything else. So some
 * may come twice, rather than be lost.
 */
export class MessageStream {
  readonly #options: StreamOptions;
  #socket: Socket | null = null;
  /** The newest messages of the living connection, oldest first. */
  #written: Bytes[] = [];
  /** Of the connection that died: to be written first. */
  #overlap: Bytes[] = [];
  #again: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Resolves when all of `messages` are handed over. @throws where the connection cannot be made, or dies meanwhile */
  async write(messages: readonly Bytes[]): Promise<void> {
    const socket = this.#socket ?? (await this.#connect());
    await this.#flush(socket, messages);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      // What is still in the buffer is written; a peer that takes none of it is not waited for.
      socket.setTimeout(this.#options.timeoutMs, () => socket.destroy());
      socket.end();
    });
  }

  async #connect(): Promise<Socket> {
    const socket = await this.#opened();
    this.#socket = socket;
    socket.once('close', () => this.#died(socket));
    const overlap = this.#overlap;
    if (overlap.length > 0) {
      await this.#flush(socket, overlap);
      this.#overlap = [];
      this.#options.logger.warn({ messages: overlap.length }, 'syslog.overlap_sent');
    }
    return socket;
  }

  async #opened(): Promise<Socket> {
    const { host, port, tls, timeoutMs } = this.#options;
    const socket =
      tls === null
        ? connectTcp({ host, port })
        : connectTls({
            host,
            port,
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...(await tlsOptions(tls)),
          });
    await new Promise<void>((resolve, reject) => {
      socket.once(tls === null ? 'connect' : 'secureConnect', () => resolve());
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was ended at once')));
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    });
    socket.setTimeout(0);
    // Whatever ends it, `close` follows, and whoever was writing hears of it.
    socket.on('error', () => undefined);
    // A receiver that answers is not understood, and must not fill the memory.
    socket.resume();
    return socket;
  }

  #flush(socket: Socket, messages: readonly Bytes[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const died = (): void => reject(new Error('the connection ended'));
      socket.once('close', died);
      socket.write(Buffer.concat(messages), (error) => {
        socket.off('close', died);
        if (error) {
          reject(error);
          return;
        }
        this.#written = [...this.#written, ...messages].slice(-this.#options.overlapMax);
        resolve();
      });
    });
  }

  #died(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    // What was to be written again may not be there yet either.
    this.#overlap = [...this.#overlap, ...this.#written].slice(-this.#options.overlapMax);
    this.#written = [];
    this.#connectSoon();
  }

  /** What its peer had not read is not left waiting for the next event. */
  #connectSoon(): void {
    if (this.#isClosed || this.#overlap.length === 0 || this.#again !== null) return;
    this.#again = setTimeout(() => {
      this.#again = null;
      if (this.#socket !== null || this.#isClosed) return;
      this.#connect().catch(() => this.#connectSoon());
    }, RECONNECT_MS).unref();
  }
}
