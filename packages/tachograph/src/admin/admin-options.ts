import { Command } from 'commander';
import type { z } from 'zod';
import type { Io } from '../io.ts';
import { callControl, controlAddress } from './control-client.ts';

/** The options that every `admin` command has. */
export type AdminOptions = { readonly url?: string; readonly token?: string; readonly json?: boolean };

/** A command that talks to the control API. */
export function adminCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--url <address>', 'the server (default: TACHOGRAPH_URL, else http://localhost:PORT)')
    .option('--token <token>', 'the administrator token (default: ADMIN_TOKEN, else DATA_DIR/admin-token)')
    .option('--json', 'print the answer as JSON instead of a table');
}

/** Calls the control API, and prints its answer as JSON or as `human` words it. */
export async function callAndPrint<S extends z.ZodType>(
  io: Io,
  options: AdminOptions,
  request: { readonly method: 'GET' | 'POST' | 'PUT'; readonly path: string; readonly body?: unknown },
  schema: S,
  human: (answer: z.infer<S>) => string,
): Promise<void> {
  const answer = await callControl(io, controlAddress(io, options), request, schema);
  io.out(options.json === true ? `${JSON.stringify(answer, null, 2)}\n` : human(answer));
}

/** A path of the control API, each part escaped. */
export function adminPath(...parts: readonly string[]): string {
  return ['/admin/v1', ...parts.map(encodeURIComponent)].join('/');
}
