import type { Bytes } from '@tachograph/wire';
import { z } from 'zod';
import { tlsConfig } from '../http/http-config.ts';
import { defineSink, type Outcome, type SinkDefinition } from './sink.ts';
import { Datagrams } from './syslog/datagrams.ts';
import { counted, ended, syslogMessage } from './syslog/message.ts';
import { MessageStream } from './syslog/stream.ts';

const config = z.strictObject({
  type: z.literal('syslog'),
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(6_514),
  transport: z.enum(['tls', 'tcp', 'udp']).default('tls'),
  /** How messages are told apart: by their length before each, or by a line feed after each. UDP needs neither. */
  framing: z.enum(['counted', 'newline']).default('counted'),
  /** 13 is "log audit" (RFC 5424, table 1). */
  facility: z.int().min(0).max(23).default(13),
  appName: z
    .string()
    .regex(/^[!-~]{1,48}$/, '1 to 48 printable ASCII characters')
    .default('tachograph'),
  /** Bytes of one message that the receiver takes: rsyslog's default. */
  messageBytesMax: z.int().min(480).max(1_048_576).default(8_192),
  /** Messages that are sent again after a connection has died. */
  overlapEvents: z.int().nonnegative().max(100_000).default(1_000),
  tls: tlsConfig.default({}),
  timeoutSeconds: z.int().positive().max(600).default(30),
});

type SyslogConfig = z.infer<typeof config>;
/** By event: the framed message, or `null` where it is longer than the receiver takes. */
type SyslogRequest = readonly (Bytes | null)[];
type SyslogResponse =
  | { readonly kind: 'written'; readonly isTooLong: readonly boolean[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** The parts of the sink, for the tests of what is pure in it. */
export const syslogDefinition: SinkDefinition<SyslogConfig, SyslogRequest, SyslogResponse> = {
  type: 'syslog',
  config,
  limits: () => ({ batchEventsMax: 500, batchBytesMax: 1024 * 1024 }),
  // One connection, on which everything stays in order.
  parallel: false,
  encode: (batch, settings) =>
    batch.map((delivery) => {
      const message = syslogMessage(delivery, settings);
      if (message.length > settings.messageBytesMax) return null;
      if (settings.transport === 'udp') return message;
      return settings.framing === 'counted' ? counted(message) : ended(message);
    }),
  classify: (response, batch) => batch.map((_, i) => outcomeOf(response, i)),
  async connect(settings, { logger }) {
    const { host, port, transport, tls, timeoutSeconds, overlapEvents: overlapMax } = settings;
    const timeoutMs = timeoutSeconds * 1000;
    const connection =
      transport === 'udp'
        ? new Datagrams(host, port)
        : new MessageStream({
            host,
            port,
            tls: transport === 'tls' ? tls : null,
            timeoutMs,
            overlapMax,
            logger,
          });
    return {
      async send(request) {
        const messages = request.filter((message) => message !== null);
        try {
          if (messages.length > 0) await connection.write(messages);
        } catch (error) {
          return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
        }
        return { kind: 'written', isTooLong: request.map((message) => message === null) };
      },
      mark: () => null,
      committed: async () => undefined,
      close: () => connection.close(),
    };
  },
};

/**
 * Syslog (RFC 5424) over TLS, TCP or UDP. It has no acknowledgement: an event counts as delivered once it is written,
 * and the last ones of a connection that died are written again.
 */
export const syslogSink = defineSink(syslogDefinition);

function outcomeOf(response: SyslogResponse, i: number): Outcome {
  if (response.kind === 'failed') return { kind: 'retry', reason: response.reason };
  return response.isTooLong[i] === true
    ? { kind: 'reject', reason: 'longer than the receiver takes (messageBytesMax)' }
    : { kind: 'delivered' };
}
