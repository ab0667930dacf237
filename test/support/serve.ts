import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const MAIN = fileURLToPath(new URL('../../packages/tachograph/dist/main.js', import.meta.url));

export type Served = {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly adminToken: string;
  readonly pid: number;
  /** What the process has printed so far. */
  readonly output: () => string;
  /** Ends it as an operator does, and answers its exit code. */
  readonly stop: () => Promise<number | null>;
  /** Ends it as a power cut does. */
  readonly kill: () => Promise<void>;
};

const ADMIN_TOKEN = 'test-administrator-token-of-enough-length';

/** Starts the built all-in-one server on loopback and waits until it is ready, or only answers. */
export async function serve(options: {
  dataDir: string;
  port?: number;
  env?: Record<string, string>;
  until?: 'ready' | 'live';
  /** One role alone; else all of them. */
  role?: 'ingest' | 'control';
}): Promise<Served> {
  const port = options.port ?? (await freePort());
  const child = spawn(process.execPath, [MAIN, options.role ?? 'serve'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: String(port),
      DATA_DIR: options.dataDir,
      ADMIN_TOKEN,
      LOG_LEVEL: 'warn',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const url = `http://localhost:${port}`;
  try {
    await eventually(`ready at ${url}`, async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output}`);
      return (await isOk(`${url}/${options.until === 'live' ? 'livez' : 'readyz'}`)) ? true : null;
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    url,
    port,
    dataDir: options.dataDir,
    adminToken: ADMIN_TOKEN,
    pid: child.pid!,
    output: () => output,
    stop: () => end(child, exited, 'SIGTERM'),
    kill: async () => {
      await end(child, exited, 'SIGKILL');
    },
  };
}

async function end(
  child: ChildProcess,
  exited: Promise<unknown>,
  signal: NodeJS.Signals,
): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  await exited;
  return child.exitCode;
}

/** Whether the server answers that it is well. No answer at all is what "not yet" looks like from outside. */
function isOk(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}
