import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { serverName } from './probe.ts';
import { KafkaRefusedError } from './refused-error.ts';
import { refuseToTellPassword, tlsOptions, type KafkaSecurity } from './security.ts';

const KEEP_ALIVE_DELAY_MS = 60_000;

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

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    if (this.#closed) throw new Error('this log is closed');
    const socket = this.#connect(host, port, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** Why the newest connection was not even tried; kafkajs keeps only the text of it. */
  get refusal(): KafkaRefusedError | null {
    return this.#refusal;
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.destroy();
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
