import type { z } from 'zod';
import type { ExportEvent } from '../export-event.ts';
import type { FileSystem } from '../files/file-system.ts';
import type { FormatName } from '../formats/registry.ts';
import type { Clock, Logger } from '../runtime.ts';
import type { ReadSecret } from '../secret.ts';

/** One event on its way to a destination, already written in the route's format. */
export type Delivery = {
  readonly event: ExportEvent;
  readonly line: string;
  /** RFC 3339: what the route's time policy puts into the destination's own time field. */
  readonly time: string;
};

/** What became of one event. */
export type Outcome =
  /** The destination has acknowledged it and will keep it. */
  | { readonly kind: 'delivered' }
  /** Not now: it is sent again, after `afterMs` where the destination said so. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** Never: it goes to the dead letters, and its device goes on. */
  | { readonly kind: 'reject'; readonly reason: string }
  /**
   * The destination refused the whole batch for some event of it, and does not say which. The engine sends halves of
   * it until one event is alone; of that it means `reject`.
   */
  | { readonly kind: 'isolate'; readonly reason: string }
  /** Nothing can be delivered until somebody changes something: tried again at the longest wait, and alarmed. */
  | { readonly kind: 'halt'; readonly reason: string };

export type SinkLimits = {
  /** Events and bytes of lines in one `send`. One event larger than `batchBytesMax` is sent alone. */
  readonly batchEventsMax: number;
  readonly batchBytesMax: number;
};

/** What a look at a destination found, in words that hold no secret. */
export type Probe =
  | { readonly ready: true; readonly found: string }
  /** `mend` says what to do about it, one line each. */
  | { readonly ready: false; readonly found: string; readonly mend: readonly string[] };

/** What a sink is given to look at its destination with; `signal` aborts when that has taken too long. */
export type ProbeSurroundings = Pick<SinkSurroundings, 'exportDir' | 'readSecret' | 'clock'> & {
  readonly signal: AbortSignal;
};

/** What a sink is given to reach its destination with. */
type SinkSurroundings = {
  /** What the lines are written in. */
  readonly format: FormatName;
  readonly exportDir: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readSecret: ReadSecret;
  /** The marks that earlier commits stored, one for each partition that has any, in no particular order. */
  readonly marks: readonly string[];
};

/**
 * A kind of destination: one file that says how to write a batch and how to read the answer, and decides nothing
 * else. Retry, backoff, batching, dead letters, positions and metrics are the engine's, once for all sinks.
 */
export type SinkDefinition<Config, Request, Response> = {
  readonly type: string;
  /** Includes `type` as a literal. */
  readonly config: z.ZodType<Config>;
  readonly limits: (config: Config) => SinkLimits;
  /**
   * Whether batches of several partitions may be delivered at once. Those of one partition, and so of one device,
   * never are.
   */
  readonly parallel: boolean;
  /** Pure: what to send for `batch`. */
  readonly encode: (batch: readonly Delivery[], config: Config) => Request;
  /** Pure: one outcome for each event of `batch`, in its order. */
  readonly classify: (response: Response, batch: readonly Delivery[]) => readonly Outcome[];
  readonly connect: (
    config: Config,
    surroundings: SinkSurroundings,
  ) => Promise<Connection<Request, Response>>;
  /**
   * Asks the destination whether it would take events, without sending any and changing nothing: an endpoint of
   * health, the rights of a token. Without it, whoever wants to know can only try to connect. Its secrets are known
   * to be readable. Failing is no throw, but `ready: false`.
   */
  readonly probe?: (config: Config, surroundings: ProbeSurroundings) => Promise<Probe>;
};

/** The one place of a sink with effects. */
interface Connection<Request, Response> {
  /** Sends once, without retrying. A throw means that nothing is known of the whole batch: it is retried. */
  send(request: Request, signal: AbortSignal): Promise<Response>;
  /** What the next commit stores beside the position, for `SinkSurroundings.marks` of the next start; or `null`. */
  mark(): string | null;
  /** Told when `mark` is stored. */
  committed(mark: string): Promise<void>;
  close(): Promise<void>;
}

/** A sink without the types that are its own business, as the registry and the engine see it. */
export type Sink = {
  readonly type: string;
  readonly config: z.ZodType;
  /** @throws where the destination cannot be prepared at all; the route tries again later. */
  readonly open: (config: unknown, surroundings: SinkSurroundings) => Promise<OpenSink>;
  /** Says whether the destination would take events, where the sink can tell more than that it is reached. */
  readonly probe?: (config: unknown, surroundings: ProbeSurroundings) => Promise<Probe>;
};

export interface OpenSink {
  readonly limits: SinkLimits;
  readonly parallel: boolean;
  deliver(batch: readonly Delivery[], signal: AbortSignal): Promise<readonly Outcome[]>;
  mark(): string | null;
  committed(mark: string): Promise<void>;
  close(): Promise<void>;
}

/** Closes a definition over its types. */
export function defineSink<Config, Request, Response>(
  definition: SinkDefinition<Config, Request, Response>,
): Sink {
  const { probe } = definition;
  return {
    type: definition.type,
    config: definition.config,
    ...(probe === undefined
      ? {}
      : { probe: async (input, surroundings) => probe(definition.config.parse(input), surroundings) }),
    async open(input, surroundings) {
      const config = definition.config.parse(input);
      const connection = await definition.connect(config, surroundings);
      return {
        limits: definition.limits(config),
        parallel: definition.parallel,
        deliver: async (batch, signal) =>
          definition.classify(await connection.send(definition.encode(batch, config), signal), batch),
        mark: () => connection.mark(),
        committed: (mark) => connection.committed(mark),
        close: () => connection.close(),
      };
    },
  };
}
