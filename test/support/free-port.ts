import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (32,768 on Linux): none of these can take one between its
 * being found and its being listened on.
 */
const PORTS = { from: 20_000, to: 32_000 };
const TRIES_MAX = 100;

/** Ports that this process has given out: whoever was given one may not listen yet. */
const given = new Set<number>();

/** A port on loopback that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  for (let i = 0; i < TRIES_MAX; i++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port from ${PORTS.from} to ${PORTS.to} is free`);
}

/** Whether a server of ours could listen there. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const answer = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => resolve(true));
  });
  server.listen(port, '127.0.0.1');
  if (!(await answer)) return false;
  server.close();
  await once(server, 'close');
  return true;
}
