import { randomUUID } from 'node:crypto';
import { HEADER } from '@tachograph/event-log';
import { assertNever, parseOrigin, utf8, type Bytes } from '@tachograph/wire';
import { z } from 'zod';
import { SUBJECT_HEADER } from '../export-event.ts';
import { integerIn, timeIn } from '../formats/times.ts';
import { httpUrl, tlsConfig } from '../http/http-config.ts';
import { openHttpClient } from '../http/http-client.ts';
import { secretSource } from '../secret.ts';
import { defineSink, type Delivery, type Outcome, type SinkDefinition } from './sink.ts';
import { Acknowledgements, acksIn } from './splunk-hec/acknowledgements.ts';
import { ackIdOf, outcomeOf, type HecAnswer } from './splunk-hec/answers.ts';

const config = z.strictObject({
  type: z.literal('splunk-hec'),
  /** Address of the collector, without a path: `https://splunk.example.com:8088`. */
  url: httpUrl,
  token: secretSource,
  /** Unset, the default index of the token. `{tenant}` stands for the tenant. */
  index: z.string().min(1).max(200).optional(),
  sourcetype: z.string().min(1).max(200).default('tachograph'),
  /** Waits until an indexer has each batch. The token must have acknowledgements enabled. */
  acknowledge: z.boolean().default(false),
  acknowledgeSeconds: z.int().positive().max(3_600).default(300),
  gzip: z.boolean().default(true),
  tls: tlsConfig.default({}),
  timeoutSeconds: z.int().positive().max(600).default(30),
});

type HecConfig = z.infer<typeof config>;
type HecRequest = { readonly body: Bytes; readonly ids: readonly string[] };
type HecResponse =
  | { readonly kind: 'answered'; readonly answer: HecAnswer; readonly indexVaries: boolean }
  /** By acknowledgements: which of the batch are settled. */
  | { readonly kind: 'acknowledged'; readonly ids: ReadonlySet<string> }
  | { readonly kind: 'unacknowledged'; readonly sends: number };

/** A batch is sent so often at most while no acknowledgement comes. */
const SENDS_MAX = 3;
const ACK_POLL_MS_MIN = 100;
const ACK_POLL_MS_MAX = 5_000;
const PATH = '/services/collector';

/** The parts of the sink, for the tests of what is pure in it. */
export const splunkHecDefinition: SinkDefinition<HecConfig, HecRequest, HecResponse> = {
  type: 'splunk-hec',
  config,
  // The default of Splunk's `max_content_length` is 800 MB and of many proxies 1 MB.
  limits: () => ({ batchEventsMax: 1_000, batchBytesMax: 768 * 1024 }),
  parallel: true,
  encode: (batch, settings) => ({
    body: utf8(batch.map((delivery) => eventOf(delivery, settings)).join('\n')),
    ids: batch.map(idOf),
  }),
  classify: (response, batch) => batch.map((delivery) => outcomeIn(response, idOf(delivery))),
  async connect(settings, { clock, readSecret }) {
    const { url, tls, timeoutSeconds, acknowledge, acknowledgeSeconds } = settings;
    const client = await openHttpClient({ tls, timeoutMs: timeoutSeconds * 1000, now: () => clock.now() });
    // One for as long as the connection lives: Splunk keeps acknowledgements by channel.
    const channel = randomUUID();
    const post = async (path: string, body: Bytes, gzip: boolean, signal: AbortSignal): Promise<HecAnswer> =>
      client.send(
        {
          method: 'POST',
          url: new URL(path, url).href,
          headers: {
            authorization: `Splunk ${await readSecret(settings.token)}`,
            'content-type': 'application/json',
            ...(acknowledge ? { 'x-splunk-request-channel': channel } : {}),
          },
          body,
          gzip,
        },
        signal,
      );
    const indexVaries = settings.index?.includes('{tenant}') ?? false;
    const acknowledgements = new Acknowledgements(SENDS_MAX);
    const ask = async (ids: readonly string[], signal: AbortSignal): Promise<Set<string>> => {
      const acks = acknowledgements.idsFor(ids);
      if (acks.length === 0) return new Set();
      const answer = await post(`${PATH}/ack`, utf8(JSON.stringify({ acks })), false, signal);
      return acknowledgements.settle(ids, acksIn(answer.body));
    };
    const waitFor = async (ids: readonly string[], signal: AbortSignal): Promise<HecResponse> => {
      const deadline = clock.now() + acknowledgeSeconds * 1000;
      for (let waitMs = ACK_POLL_MS_MIN; ; waitMs = Math.min(waitMs * 2, ACK_POLL_MS_MAX)) {
        const settled = await ask(ids, signal);
        if (settled.size > 0) return { kind: 'acknowledged', ids: settled };
        if (clock.now() >= deadline) return { kind: 'unacknowledged', sends: SENDS_MAX };
        await clock.sleep(waitMs, signal);
        signal.throwIfAborted();
      }
    };
    return {
      async send({ body, ids }, signal) {
        // What was sent before may be there by now.
        const settled = acknowledge ? await ask(ids, signal) : new Set<string>();
        if (settled.size > 0) return { kind: 'acknowledged', ids: settled };
        if (acknowledge && !acknowledgements.maySend(ids)) return waitFor(ids, signal);
        const answer = await post(`${PATH}/event`, body, settings.gzip, signal);
        const ackId = acknowledge && answer.status === 200 ? ackIdOf(answer) : null;
        if (ackId === null) return { kind: 'answered', answer, indexVaries };
        acknowledgements.sent(ids, ackId);
        return waitFor(ids, signal);
      },
      mark: () => null,
      committed: async () => undefined,
      close: () => client.close(),
    };
  },
};

/**
 * Splunk's HTTP Event Collector. It knows no ids: what was sent and not acknowledged, because an answer was lost or
 * this process died, is sent once more and stands there twice, with the same `fields.id`.
 */
export const splunkHecSink = defineSink(splunkHecDefinition);

/** One event object. A line that is JSON stands in it as it is. */
function eventOf({ event: { headers }, line, time }: Delivery, { index, sourcetype }: HecConfig): string {
  const tenant = headers[HEADER.tenant] ?? '';
  const source = headers[SUBJECT_HEADER] ?? headers[HEADER.source] ?? '';
  const origin = parseOrigin(source);
  const head = JSON.stringify({
    time: Date.parse(time) / 1000,
    host: origin.ok ? origin.value.device : source,
    source,
    sourcetype,
    index: index?.replaceAll('{tenant}', tenant),
    fields: {
      id: headers[HEADER.id],
      tenant,
      action: headers[HEADER.type],
      received: timeIn(headers, HEADER.recordedTime),
      occurred: timeIn(headers, HEADER.time),
      lateness_ms: integerIn(headers, HEADER.lateness),
    },
  });
  return `${head.slice(0, -1)},"event":${line.startsWith('{') ? line : JSON.stringify(line)}}`;
}

function outcomeIn(response: HecResponse, id: string): Outcome {
  switch (response.kind) {
    case 'answered':
      return outcomeOf(response.answer, response.indexVaries);
    case 'acknowledged':
      return response.ids.has(id)
        ? { kind: 'delivered' }
        : { kind: 'retry', reason: 'not acknowledged with the others', afterMs: 0 };
    case 'unacknowledged': {
      const reason = `took the batch ${response.sends} times and acknowledges none: it is asked again, and not sent again`;
      return { kind: 'retry', reason };
    }
    default:
      return assertNever(response);
  }
}

function idOf({ event }: Delivery): string {
  return event.headers[HEADER.id] ?? `${event.partition}/${event.offset}`;
}
