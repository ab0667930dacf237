import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorCode } from '../files/file-system.ts';
import { tlsConfig, tlsOptions } from '../http/http-config.ts';
import type { Probe } from '../sinks/sink.ts';
import type { Endpoint } from './destination.ts';

/** Connects and, where the address is one of TLS, looks at the certificate; then hangs up. */
export async function reach(
  { host, port, tls }: Endpoint,
  tlsSettings: unknown,
  signal: AbortSignal,
): Promise<Probe> {
  const where = `${host}:${port}`;
  try {
    await (tls ? shakeHands(host, port, tlsSettings, signal) : greet(host, port, signal));
    return { ready: true, found: `${where} can be reached` };
  } catch (error) {
    if (signal.aborted) {
      return unready(`${where} does not answer`, 'Open the way to it: a firewall drops what is sent there.');
    }
    return explain(where, errorCode(error));
  }
}

async function greet(host: string, port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
  } finally {
    socket.destroy();
  }
}

async function shakeHands(host: string, port: number, settings: unknown, signal: AbortSignal): Promise<void> {
  const own = await tlsOptions(tlsConfig.safeParse(settings ?? {}).data ?? {});
  const socket = connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...own });
  try {
    await once(socket, 'secureConnect', { signal });
  } finally {
    socket.destroy();
  }
}

const CHECK_ADDRESS = 'Check the address in the route.';

function explain(where: string, code: string): Probe {
  if (code.startsWith('ERR_SSL_'))
    return unready(`${where} does not speak TLS as we do (${code})`, CHECK_ADDRESS);
  switch (code) {
    case 'ECONNREFUSED':
      return unready(`nothing listens at ${where}`, 'Start the destination.', CHECK_ADDRESS);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unready(
        `nobody knows the name in ${where}`,
        CHECK_ADDRESS,
        "Check this machine's name servers.",
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return unready(`there is no way to ${where} (${code})`, 'Open the way to it.', CHECK_ADDRESS);
    case 'ENOENT':
    case 'EACCES':
      return unready(
        `a file of tls cannot be read (${code})`,
        'Check caFile, certFile and keyFile in the route.',
      );
    case 'CERT_HAS_EXPIRED':
      return unready(`the certificate of ${where} has expired`, 'Give the destination a new one.');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return unready(
        `the certificate of ${where} is for another name`,
        'Name the destination as its certificate does, or set tls.serverName.',
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return unready(
        `the certificate of ${where} is of an authority that is not trusted here`,
        'Set tls.caFile to the certificate of that authority.',
      );
    case 'EPROTO':
    case 'ECONNRESET':
      return unready(`${where} does not speak TLS, or ends the connection (${code})`, CHECK_ADDRESS);
    default:
      return unready(`${where} cannot be reached (${code})`, CHECK_ADDRESS);
  }
}

function unready(found: string, ...mend: string[]): Probe {
  return { ready: false, found, mend };
}
