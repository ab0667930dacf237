import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { serverName } from './probe.ts';
import { KafkaRefusedError } from './refused-error.ts';
import { refuseToTellPassword, tlsOptions, type KafkaSecurity } from './security.ts';

const KEEP_ALIVE_DELAY_MS = 60_000;
const TICK_MS = 250;

/**
 * The connections of one log: encrypted where the settings say so, and ended by its close, all of them. kafkajs leaves
 * some open after `disconnect()`, and they would keep the process from ending.
 */
export class Sockets {
  readonly #security: KafkaSecurity;
  readonly #open = new Set<Socket>();
  #closed = false;
  #refusal: KafkaRefusedError | null = null;

  constructor(security: KafkaSecurity) {
    this.#security = security;
  }

  /** For clients that end their connections themselves. */
  readonly factory: ISocketFactory = (options) => this.#make(options);

  /** Connections that are ended together, and on their own where one is silent for `silenceMsMax` although it was asked. */
  group(silenceMsMax: number): { readonly factory: ISocketFactory; readonly end: () => void } {
    const own = new Set<Socket>();
    const factory: ISocketFactory = (options) => {
      const socket = this.#make(options);
      own.add(socket);
      // At once: a reset after the end would reach kafkajs, which ends whatever it has connected in its place.
      socket.once('end', () => socket.destroy());
      socket.once('close', () => own.delete(socket));
      endWhenSilent(socket, silenceMsMax);
      return socket;
    };
    return { factory, end: () => endAll(own) };
  }

  /** Why the newest connection was not even tried; kafkajs keeps only the text of it. */
  get refusal(): KafkaRefusedError | null {
    return this.#refusal;
  }

  close(): void {
    this.#closed = true;
    endAll(this.#open);
  }

  #make({ host, port, onConnect }: Parameters<ISocketFactory>[0]): Socket {
    if (this.#closed) throw new Error('this log is closed');
    const socket = this.#connect(host, port, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  }

  #connect(host: string, port: number, onConnect: () => void): Socket {
    this.#refusal = null;
    try {
      return openSocket(this.#security, host, port, onConnect);
    } catch (error) {
      if (error instanceof KafkaRefusedError) this.#refusal = error;
      throw error;
    }
  }
}

/** @throws KafkaRefusedError `tls-files`, `password-in-clear` */
function openSocket(security: KafkaSecurity, host: string, port: number, onConnect: () => void): Socket {
  // Asked for each connection: brokers name each other, and not only those in the settings are connected to.
  refuseToTellPassword(security, host);
  const { tls } = security;
  if (tls === undefined) return connect({ host, port }, onConnect);
  return connectTls({ host, port, ...serverName(host), ...tlsOptions(tls) }, onConnect);
}

/** With an error, by which kafkajs notices and stops waiting for answers. */
function endAll(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy(new Error('the connection was given up'));
}

/**
 * Ends a connection by which something was sent and nothing comes back. It counts ticks and not time: after a pause of
 * this process itself the answer may be there already, unread.
 */
function endWhenSilent(socket: Socket, msMax: number): void {
  let sentBefore = 0;
  let ticks = 0;
  socket.on('data', () => {
    sentBefore = socket.bytesWritten;
    ticks = 0;
  });
  const timer = setInterval(() => {
    // What has not left yet is not to be answered yet: a large append takes its time.
    const isAsked = socket.bytesWritten > sentBefore && socket.writableLength === 0;
    ticks = isAsked ? ticks + 1 : 0;
    if (ticks * TICK_MS >= msMax) socket.destroy(new Error(`nothing came for ${msMax} ms`));
  }, TICK_MS);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
