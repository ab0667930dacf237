import type { LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Bytes } from '@tachograph/wire';
import { request } from 'undici';
import { EXPORT_LIMITS } from '../limits.ts';
import type { TlsConfig } from './http-config.ts';
import { parseRetryAfter } from './retry-after.ts';
import { makeAgent, takeAgent } from './shared-agents.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: Bytes;
  /** Compresses the body and says so. */
  readonly gzip?: boolean;
};

type HttpAnswer = {
  readonly status: number;
  /** What the destination asked for, if it did. */
  readonly retryAfterMs: number | null;
  readonly body: string;
};

export interface HttpClient {
  /**
   * Sends once and reads the whole answer; follows no redirect and retries nothing.
   * @throws where no answer came within `timeoutMs`, or one that is larger than `httpAnswerBytesMax`
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export type HttpClientOptions = {
  readonly tls: TlsConfig;
  /** Milliseconds without a sign of the destination: to connect, until the answer begins, between its parts. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Resolves names, where that is to be restricted. */
  readonly lookup?: LookupFunction;
};

const gzipped = promisify(gzip);

/**
 * A client whose connections are shared with others that reach destinations in the same way; with a `lookup` they are its
 * own. @throws Error where a file of `tls` cannot be read
 */
export async function openHttpClient(options: HttpClientOptions): Promise<HttpClient> {
  const { tls, timeoutMs, lookup, now } = options;
  const { agent, release } =
    lookup === undefined ? await takeAgent(tls, timeoutMs) : await ownAgent(tls, timeoutMs, lookup);
  return {
    async send({ method, url, headers, body, gzip: compress = false }, signal) {
      const compressed = compress && body !== undefined;
      const answer = await request(url, {
        dispatcher: agent,
        method,
        headers: { ...headers, ...(compressed ? { 'content-encoding': 'gzip' } : {}) },
        body: compressed ? await gzipped(body) : (body ?? null),
        signal,
      });
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        retryAfterMs: parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, now()),
        body: await textOf(answer.body),
      };
    },
    close: release,
  };
}

async function ownAgent(tls: TlsConfig, timeoutMs: number, lookup: LookupFunction) {
  const agent = await makeAgent(tls, timeoutMs, { lookup });
  return { agent, release: () => agent.destroy() };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (length > EXPORT_LIMITS.httpAnswerBytesMax) throw new Error('the answer is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
