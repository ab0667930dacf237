import { HEADER } from '@tachograph/event-log';
import { utf8, type Bytes } from '@tachograph/wire';
import { z } from 'zod';
import { openHttpClient, type HttpClient } from '../http/http-client.ts';
import { httpUrl, tlsConfig } from '../http/http-config.ts';
import { outcomesOf, type BulkAnswer } from './opensearch/bulk-answer.ts';
import { credentials, headersOf } from './opensearch/credentials.ts';
import { INDEX_PATTERN, indexOf, wildcardOf } from './opensearch/index-name.ts';
import { indexTemplate } from './opensearch/index-template.ts';
import { defineSink, type Delivery, type SinkDefinition } from './sink.ts';

/** The settings of the sink; whoever reads what it wrote uses them too. */
export const openSearchConfig = z.strictObject({
  type: z.literal('opensearch'),
  url: httpUrl,
  /** `{tenant}`, and `{yyyy}`, `{MM}`, `{dd}` of when ingest received it. */
  index: z
    .string()
    .max(200)
    .regex(INDEX_PATTERN, 'a name in lower case, with {tenant}, {yyyy}, {MM} and {dd}')
    .default('tachograph-{tenant}'),
  flavour: z.enum(['opensearch', 'elasticsearch']).default('opensearch'),
  /** Makes the index template of the format `ecs` where there is none of its name. */
  template: z.boolean().default(true),
  auth: credentials.optional(),
  gzip: z.boolean().default(true),
  tls: tlsConfig.default({}),
  timeoutSeconds: z.int().positive().max(600).default(60),
});

export type OpenSearchConfig = z.infer<typeof openSearchConfig>;

/** The parts of the sink, for the tests of what is pure in it. */
export const openSearchDefinition: SinkDefinition<OpenSearchConfig, Bytes, BulkAnswer> = {
  type: 'opensearch',
  config: openSearchConfig,
  limits: () => ({ batchEventsMax: 1_000, batchBytesMax: 5 * 1024 * 1024 }),
  parallel: true,
  encode: (batch, { index }) => utf8(batch.map((delivery) => actionOf(delivery, index)).join('')),
  classify: (response, batch) => outcomesOf(response, batch.length),
  async connect(settings, { clock, format, readSecret }) {
    const client = await clientOf(settings, () => clock.now());
    const headers = () => headersOf(settings.auth, readSecret);
    let isReady = !settings.template || format !== 'ecs';
    return {
      async send(body, signal) {
        if (!isReady) await ensureTemplate(client, settings, await headers(), signal);
        isReady = true;
        return client.send(
          {
            method: 'POST',
            url: new URL('/_bulk', settings.url).href,
            headers: { ...(await headers()), 'content-type': 'application/x-ndjson' },
            body,
            gzip: settings.gzip,
          },
          signal,
        );
      },
      mark: () => null,
      committed: async () => undefined,
      close: () => client.close(),
    };
  },
  async probe(settings, { clock, readSecret, signal }) {
    const client = await clientOf(settings, () => clock.now());
    try {
      const { status } = await client.send(
        {
          method: 'GET',
          url: new URL('/', settings.url).href,
          headers: await headersOf(settings.auth, readSecret),
        },
        signal,
      );
      if (status === 200) return { ready: true, found: 'it answers, and knows the user' };
      const mend =
        status === 401 || status === 403 ? ['Check `auth` of the route.'] : ['Check `url` of the route.'];
      return { ready: false, found: `it answered ${status}`, mend };
    } finally {
      await client.close();
    }
  },
};

/**
 * OpenSearch, and Elasticsearch. Each event is a document whose `_id` is the event's id: what is sent twice, after a lost
 * answer or in a replay, is there once.
 */
export const openSearchSink = defineSink(openSearchDefinition);

/** `create`, not `index`: what is there stays as it is. */
function actionOf(delivery: Delivery, pattern: string): string {
  const { event, line, time } = delivery;
  const action = { create: { _index: indexOf(pattern, delivery), _id: event.headers[HEADER.id] } };
  // A document is a JSON object; a line of another kind stands in one.
  const document = line.startsWith('{') ? line : JSON.stringify({ '@timestamp': time, message: line });
  return `${JSON.stringify(action)}\n${document}\n`;
}

function clientOf({ tls, timeoutSeconds }: OpenSearchConfig, now: () => number): Promise<HttpClient> {
  return openHttpClient({ tls, timeoutMs: timeoutSeconds * 1000, now });
}

/** One that is there stays as somebody made it. @throws where it is not there and cannot be made */
async function ensureTemplate(
  client: HttpClient,
  { url, index, flavour }: OpenSearchConfig,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const pattern = wildcardOf(index);
  // A template's name holds no `*`.
  const address = new URL(`/_index_template/${pattern.replaceAll('*', 'any')}`, url).href;
  const found = await client.send({ method: 'GET', url: address, headers }, signal);
  if (found.status === 200) return;
  const made = await client.send(
    {
      method: 'PUT',
      url: address,
      headers: { ...headers, 'content-type': 'application/json' },
      body: utf8(JSON.stringify(indexTemplate([pattern], flavour))),
    },
    signal,
  );
  if (made.status === 200) return;
  throw new Error(
    `the index template could not be made (${made.status}): let the user manage index templates, make it by hand, ` +
      'or set template: false',
  );
}
