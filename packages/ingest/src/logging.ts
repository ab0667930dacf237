import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from './config.ts';

/**
 * Members that never reach a line, at the top or one level down. Nothing should pass them in the first place:
 * lines carry ids. This is for the day when something does.
 */
const NEVER_LOGGED = [
  'authorization',
  'body',
  'cookie',
  'credential',
  'headers',
  'leaf',
  'leaves',
  'payload',
  'proof',
  'secret',
  'seed',
  'token',
];

/**
 * Logger of structured lines. Each is an event, `noun.verb_past`, in `event`, with ids beside it; `time` is
 * RFC 3339.
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level,
      messageKey: 'event',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: NEVER_LOGGED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { err: describeError, error: describeError, req: () => undefined, res: () => undefined },
    },
    options.destination ?? pino.destination(1),
  );
}

/**
 * What of an error is safe to keep: its name, code, message and place, and its causes. Other members may hold a
 * query's parameters or a request.
 */
function describeError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return { type: typeof error };
  const { name, code, message, stack, cause } = error as { [member: string]: unknown };
  return { name, code, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}
