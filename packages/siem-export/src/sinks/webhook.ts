import { HEADER } from '@tachograph/event-log';
import { utf8, type Bytes } from '@tachograph/wire';
import { z } from 'zod';
import { guardedLookup, refusePrivateLiteral } from '../http/guarded-lookup.ts';
import { openHttpClient } from '../http/http-client.ts';
import { httpUrl, tlsConfig } from '../http/http-config.ts';
import { secretSource } from '../secret.ts';
import { defineSink, type Delivery, type Outcome, type SinkDefinition } from './sink.ts';
import { messageId, signedHeaders } from './webhook/signature.ts';

const config = z
  .strictObject({
    type: z.literal('webhook'),
    url: httpUrl,
    /** `whsec_…`, each. The first one that the receiver knows verifies; a second one is for its rotation. */
    secrets: z.array(secretSource).min(1).max(4),
    /** `one`: a request is one event. `array`: a JSON array of at most `eventsMax` of them. */
    body: z.enum(['one', 'array']).default('array'),
    eventsMax: z.int().positive().max(1_000).default(100),
    /** Also addresses that are not of the public Internet, and http. */
    allowPrivate: z.boolean().default(false),
    tls: tlsConfig.default({}),
    timeoutSeconds: z.int().positive().max(600).default(30),
  })
  .refine(({ url, allowPrivate }) => allowPrivate || url.startsWith('https://'), {
    path: ['url'],
    error: 'https, unless allowPrivate is true',
  });

type WebhookConfig = z.infer<typeof config>;
type WebhookRequest = { readonly id: string; readonly body: Bytes; readonly type: string };
type WebhookAnswer = { readonly status: number; readonly retryAfterMs: number | null };

const BYTES_MAX = 1024 * 1024;

/** The parts of the sink, for the tests of what is pure in it. */
export const webhookDefinition: SinkDefinition<WebhookConfig, WebhookRequest, WebhookAnswer> = {
  type: 'webhook',
  config,
  limits: ({ body, eventsMax }) => ({
    batchEventsMax: body === 'one' ? 1 : eventsMax,
    batchBytesMax: BYTES_MAX,
  }),
  parallel: true,
  encode: (batch, { body }) => ({
    id: messageId(batch.map(({ event }) => event.headers[HEADER.id] ?? `${event.partition}/${event.offset}`)),
    ...(body === 'one' ? oneOf(batch[0]!) : arrayOf(batch)),
  }),
  classify: (answer, batch) => batch.map(() => outcomeOf(answer)),
  async connect({ url, secrets, allowPrivate, tls, timeoutSeconds }, { clock, readSecret }) {
    if (!allowPrivate) refusePrivateLiteral(url);
    const client = await openHttpClient({
      tls,
      timeoutMs: timeoutSeconds * 1000,
      now: () => clock.now(),
      ...(allowPrivate ? {} : { lookup: guardedLookup() }),
    });
    return {
      async send({ id, body, type }, signal) {
        const known = await Promise.all(secrets.map((secret) => readSecret(secret)));
        const seconds = Math.floor(clock.now() / 1000);
        const headers = { ...signedHeaders(id, seconds, body, known), 'content-type': type };
        return client.send({ method: 'POST', url, headers, body }, signal);
      },
      mark: () => null,
      committed: async () => undefined,
      close: () => client.close(),
    };
  },
};

/**
 * Any HTTPS endpoint, in the manner of Standard Webhooks. A message keeps its id however often it is sent: a receiver
 * that remembers ids takes each once.
 */
export const webhookSink = defineSink(webhookDefinition);

function isJson(line: string): boolean {
  return line.startsWith('{');
}

function oneOf({ line }: Delivery): { readonly body: Bytes; readonly type: string } {
  return { body: utf8(line), type: isJson(line) ? 'application/json' : 'text/plain; charset=utf-8' };
}

/** Lines that are JSON stand in the array as they are. */
function arrayOf(batch: readonly Delivery[]): { readonly body: Bytes; readonly type: string } {
  const items = batch.map(({ line }) => (isJson(line) ? line : JSON.stringify(line)));
  return { body: utf8(`[${items.join(',')}]`), type: 'application/json' };
}

function outcomeOf({ status, retryAfterMs }: WebhookAnswer): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `answered ${status}`;
  if (status === 410)
    return { kind: 'halt', reason: `${reason}: the endpoint says that it is gone for good` };
  if (status < 400) return { kind: 'halt', reason: `${reason}: redirects are not followed; change \`url\`` };
  if (status === 401 || status === 403)
    return { kind: 'halt', reason: `${reason}: it does not take the signature` };
  if (status === 404 || status === 405) return { kind: 'halt', reason: `${reason}: check \`url\`` };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return retryAfterMs === null
      ? { kind: 'retry', reason }
      : { kind: 'retry', reason, afterMs: retryAfterMs };
  }
  return { kind: 'isolate', reason };
}
