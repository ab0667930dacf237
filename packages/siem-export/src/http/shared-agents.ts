import { Agent } from 'undici';
import { tlsOptions, type TlsConfig } from './http-config.ts';

/** Connections to one origin. More requests wait their turn. */
const CONNECTIONS_MAX = 64;

type Shared = { readonly agent: Promise<Agent>; users: number };

/** By how a destination is reached: routes of a thousand tenants to one destination share its connections. */
const agents = new Map<string, Shared>();

/** An agent that others may be using too. @throws Error where a file of `tls` cannot be read */
export async function takeAgent(
  tls: TlsConfig,
  timeoutMs: number,
): Promise<{ readonly agent: Agent; readonly release: () => Promise<void> }> {
  const key = JSON.stringify([tls, timeoutMs]);
  const shared = agents.get(key) ?? { agent: makeAgent(tls, timeoutMs), users: 0 };
  agents.set(key, shared);
  shared.users++;
  let isReleased = false;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    if (--shared.users > 0) return;
    // The next one reads the files anew.
    agents.delete(key);
    await (await shared.agent).destroy();
  };
  try {
    return { agent: await shared.agent, release };
  } catch (error) {
    isReleased = true;
    shared.users--;
    agents.delete(key);
    throw error;
  }
}

/** One that nobody else uses, with `connect` options of its own. */
export async function makeAgent(tls: TlsConfig, timeoutMs: number, connect: object = {}): Promise<Agent> {
  return new Agent({
    connect: { ...(await tlsOptions(tls)), ...connect, timeout: timeoutMs },
    connections: CONNECTIONS_MAX,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    // Longer than most destinations keep a connection, and undici heeds their own hint.
    keepAliveTimeout: 10_000,
    // One request at a time on a connection: what a destination that dies has read must not be a guess.
    pipelining: 1,
  });
}
