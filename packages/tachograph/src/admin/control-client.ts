import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CliFailure } from '../cli-failure.ts';
import type { Io } from '../io.ts';

const problemSchema = z.object({ code: z.string(), title: z.string(), detail: z.string().optional() });

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** How to reach a control API. */
export type ControlAddress = { readonly url: string; readonly token: string };

/**
 * Calls the control API and answers the body, checked against `schema`.
 *
 * @throws CliFailure where the server cannot be reached, refuses, or answers something else.
 */
export async function callControl<S extends z.ZodType>(
  io: Io,
  address: ControlAddress,
  request: { readonly method: 'GET' | 'POST' | 'PUT'; readonly path: string; readonly body?: unknown },
  schema: S,
): Promise<z.infer<S>> {
  const url = new URL(request.path, address.url);
  const response = await send(io, url, {
    method: request.method,
    headers: {
      authorization: `Bearer ${address.token}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  const text = await response.text();
  const body: unknown = text === '' ? {} : parseJson(text, url);
  if (!response.ok) throw refusal(response.status, body, url);
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    throw new CliFailure(`${url} answered something else: ${z.prettifyError(parsed.error)}`, [
      'Is it a Tachograph of the same version?',
    ]);
  }
  return parsed.data;
}

async function send(io: Io, url: URL, init: RequestInit): Promise<Response> {
  try {
    return await io.fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    throw new CliFailure(
      `No server answers at ${url.origin}.`,
      ['Start it with: tachograph serve', 'Or name another one with --url or TACHOGRAPH_URL.'],
      { cause: error },
    );
  }
}

function parseJson(text: string, url: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliFailure(
      `${url} did not answer with JSON.`,
      ['Is there something else at this address, or a proxy before it?'],
      { cause: error },
    );
  }
}

function refusal(status: number, body: unknown, url: URL): CliFailure {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) return new CliFailure(`${url} answered ${status}.`);
  const { code, title, detail } = problem.data;
  const mend =
    status === 401
      ? ['Name the right one with --token or ADMIN_TOKEN; `serve` keeps its own in DATA_DIR/admin-token.']
      : [];
  return new CliFailure(`${title}${detail === undefined ? '' : `: ${detail}`} (${code})`, mend);
}

/**
 * The address and token of the control API: from the options, else the environment, else the file in which a
 * server on this machine keeps its token.
 */
export function controlAddress(
  io: Io,
  options: { readonly url?: string; readonly token?: string },
): ControlAddress {
  const url = options.url ?? io.env['TACHOGRAPH_URL'] ?? `http://localhost:${io.env['PORT'] ?? '8787'}`;
  if (!URL.canParse(url)) throw new CliFailure(`--url is no address: ${url}`);
  const token = options.token ?? io.env['ADMIN_TOKEN'] ?? storedToken(url, io.env['DATA_DIR'] ?? './data');
  return { url, token };
}

function storedToken(url: string, dataDir: string): string {
  // The token of this machine's server is no business of another host.
  if (!LOOPBACK.has(new URL(url).hostname)) {
    throw new CliFailure(`There is no administrator token for ${url}.`, [
      'Name it with --token or ADMIN_TOKEN.',
    ]);
  }
  const file = join(dataDir, 'admin-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliFailure(
      'There is no administrator token to sign in with.',
      [
        `Name it with --token or ADMIN_TOKEN, or the folder of a server on this machine with DATA_DIR (${file}).`,
      ],
      { cause: error },
    );
  }
}
