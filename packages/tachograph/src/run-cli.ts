import { CommanderError } from 'commander';
import { CliFailure, formatFailure } from './cli-failure.ts';
import type { Io } from './io.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line (without node and script) and answers its exit code: 0 done, 2 a wrong command line,
 * 1 something that a person can mend; `verify` has codes of its own. Everything else is a bug and rejects.
 */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its message, and calls printed help an error of code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CliFailure) {
      io.err(formatFailure(error));
      return error.exitCode;
    }
    throw error;
  }
}
