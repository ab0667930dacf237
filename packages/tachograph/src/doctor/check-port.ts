import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode, errorMessage } from '../error-code.ts';
import { bad, good, type Finding } from './check.ts';

const CHECK = 'port';

/** Whether the server could listen. `runningPid` is the server that already works on the data folder, if any. */
export async function checkPort(host: string, port: number, runningPid: number | null): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return good(CHECK, port === 0 ? 'any that is free' : `${host}:${port} is free`);
  } catch (error) {
    return refused(host, port, runningPid, error);
  } finally {
    server.close();
  }
}

function refused(host: string, port: number, runningPid: number | null, error: unknown): Finding {
  const code = errorCode(error);
  if (code === 'EADDRINUSE' && runningPid !== null) {
    return good(CHECK, `${host}:${port} is in use, by the server that is running here (${runningPid})`);
  }
  const where = `${host}:${port}`;
  if (code === 'EADDRINUSE') {
    return bad(
      CHECK,
      `${where} is in use by another program`,
      'Name a free one with PORT, such as PORT=8788.',
    );
  }
  if (code === 'EACCES') {
    return bad(
      CHECK,
      `${where} needs privileges`,
      'Name one from 1024 on with PORT, and put a proxy before it.',
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return bad(CHECK, `${host} is no address of this machine`, 'Name one of its addresses with HOST.');
  }
  return bad(CHECK, `${where}: ${errorMessage(error)}`, 'Name another address with HOST and PORT.');
}
