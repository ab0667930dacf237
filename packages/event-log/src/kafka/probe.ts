import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

const PROBE_MS_MAX = 3_000;

/** ApiVersions (key 18), version 0, correlation 1, no client id: what a broker answers to strangers. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255]);
const CORRELATION = 1;

/** Whether whoever listens there answers a request of Kafka; unencrypted, where `tls` is `null`. */
export function speaksKafka(host: string, port: number, tls: ConnectionOptions | null): Promise<boolean> {
  const ask = (): boolean => socket.write(API_VERSIONS);
  const socket: Socket =
    tls === null
      ? connect({ host, port }, ask)
      : connectTls({ host, port, ...serverName(host), ...tls }, ask);
  return settled(socket, (settle) => {
    socket.once('data', (answer) => settle(answer.length >= 8 && answer.readInt32BE(4) === CORRELATION));
    socket.once('error', () => settle(false));
  });
}

/** Whether whoever listens there speaks TLS. Nothing is sent by it, so it does not matter who that is. */
export function speaksTls(host: string, port: number): Promise<boolean> {
  const socket = connectTls({ host, port, ...serverName(host), rejectUnauthorized: false });
  return settled(socket, (settle) => {
    socket.once('secureConnect', () => settle(true));
    // An alert is an answer in TLS, too.
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => settle(/_ALERT_/.test(code)));
  });
}

/** An address is no server name (RFC 6066, section 3); without one, the certificate must name the address. */
export function serverName(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

function settled(socket: Socket, listen: (settle: (value: boolean) => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(PROBE_MS_MAX, () => settle(false));
    socket.once('close', () => resolve(false));
    listen(settle);
  });
}
