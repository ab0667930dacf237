import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/tachograph.mjs', import.meta.url));

export type Running = {
  readonly pid: number;
  /** Everything that was printed so far, on either stream. */
  readonly output: () => string;
  /** The address in the first line that names one. */
  readonly url: () => string;
  readonly port: () => number;
  /** The exit code, once the process has ended. */
  readonly ended: Promise<number | null>;
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
};

/** Starts the built command, and waits until it prints `ready` where that is given. */
export async function start(
  args: readonly string[],
  env: Record<string, string>,
  ready?: RegExp,
): Promise<Running> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let printed = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      printed();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  if (ready !== undefined) {
    await new Promise<void>((resolve, reject) => {
      printed = () => {
        if (ready.test(output)) resolve();
      };
      void ended.then((code) => reject(new Error(`ended with ${code}:\n${output}`)));
    });
  }
  const url = (): string => /http:\/\/[\w.]+:\d+/.exec(output)?.[0] ?? '';
  return {
    pid: child.pid ?? 0,
    output: () => output,
    url,
    port: () => Number(new URL(url()).port),
    ended,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
