import type { Bytes } from '@tachograph/wire';
import type { Timers } from './adapters.ts';
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts';

const TIMEOUT_MS = 30_000;
/** Smaller bodies gain nothing. */
const GZIP_FROM_BYTES = 1024;

/**
 * HTTP by `fetch`. Appends stay CORS-simple: `text/plain`, no header of our own, gzip recognised by its magic bytes.
 */
export function fetchTransport(endpoint: string, timers: Timers): Transport {
  const base = endpoint.replace(/\/+$/, '');
  return {
    async send(request) {
      const abort = new AbortController();
      const cancel = timers.setTimeout(() => abort.abort(), TIMEOUT_MS);
      try {
        return await exchange(`${base}${request.path}`, request, abort.signal);
      } catch (error) {
        // Offline, DNS, TLS, CORS, timeout, a redirect: `fetch` tells no more, and none of them changes anything.
        return { kind: 'failure', detail: error instanceof Error ? error.message : String(error) };
      } finally {
        cancel();
      }
    },
  };
}

async function exchange(url: string, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const { method, contentType, body, keepalive = false } = request;
  // A page that goes away has no time to compress.
  const zip =
    body !== undefined && body.length > GZIP_FROM_BYTES && contentType === 'text/plain' && !keepalive;
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: zip ? await gzip(body) : body }),
    ...(contentType === undefined ? {} : { headers: { 'Content-Type': contentType } }),
    // We are sent elsewhere by captive portals only.
    redirect: 'error',
    credentials: 'omit',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
    keepalive,
    signal,
  });
  return {
    kind: 'answer',
    status: response.status,
    retryAfter: response.headers.get('Retry-After'),
    // Always read: an unread body keeps its share of the keepalive budget.
    body: await response.text(),
  };
}

async function gzip(body: Bytes): Promise<Bytes> {
  if (typeof CompressionStream === 'undefined') return body;
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
