import type { Ingest } from '@tachograph/ingest';
import { CliFailure } from '../cli-failure.ts';
import { errorCode, errorMessage } from '../error-code.ts';

/**
 * Listens, and answers the address for people: by name where only this machine can reach it.
 *
 * @throws CliFailure that names the setting to change
 */
export async function listen(app: Ingest['app'], host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port, listenTextResolver: () => 'server.listening' });
  } catch (error) {
    throw refused(host, port, error);
  }
  const address = app.server.address();
  const bound = address === null || typeof address === 'string' ? port : address.port;
  if (isLoopback(host) || host === '0.0.0.0' || host === '::') return `http://localhost:${bound}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

/** Whether only this machine can reach what listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function refused(host: string, port: number, error: unknown): unknown {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new CliFailure(
        `Port ${port} of ${host} is in use by another program.`,
        [`Name a free one with PORT, such as PORT=${port + 1}.`],
        { cause: error },
      );
    case 'EACCES':
      return new CliFailure(
        `Port ${port} needs privileges that this user does not have.`,
        ['Name one from 1024 on with PORT, and put a proxy before it.'],
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CliFailure(
        `${host} is no address of this machine: ${errorMessage(error)}`,
        ['Name one of its addresses with HOST.'],
        { cause: error },
      );
    default:
      return error;
  }
}
