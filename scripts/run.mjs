import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a command in the root of the repository without a terminal to read from.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, quiet?: boolean, timeoutMs?: number }} [options] `quiet` keeps the output back
 *   and returns it; otherwise it goes where ours goes.
 * @returns {Promise<{ code: number, output: string, timedOut: boolean }>} code 127: the command could not be started
 */
export function run(command, args, { env = process.env, quiet = false, timeoutMs = 0 } = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  let timedOut = false;
  const timer =
    timeoutMs > 0
      ? setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, timeoutMs)
      : undefined;
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 127, output: output + error.message, timedOut }));
    child.on('close', (code) => resolve({ code: code ?? 1, output, timedOut }));
  }).finally(() => clearTimeout(timer));
}

/** Runs a script of an installed package with this Node, whatever npm's shims look like on this system. */
export function runNode(script, args, options) {
  return run(process.execPath, [script, ...args], options);
}

/** One line of progress: what is done now, so that nobody waits in front of a silent terminal. */
export function progress(line) {
  process.stderr.write(`• ${line}\n`);
}

/** Ends the process with a message for a person: what is wrong, and what mends it. */
export function fail(message) {
  process.stderr.write(`\n✗ ${message}\n`);
  process.exit(1);
}
