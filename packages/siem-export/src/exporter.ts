import type { EventLog } from '@tachograph/event-log';
import type { NoteKey } from '@tachograph/wire';
import type { ExporterSurroundings } from './engine/exporter-surroundings.ts';
import { Engine, type FeedStatus } from './engine/engine.ts';
import type { RouteStatus } from './engine/route-runner.ts';
import { nodeFiles, type FileSystem } from './files/file-system.ts';
import { formatMetrics, type LogEnds } from './metrics.ts';
import { takeOwnership } from './ownership.ts';
import { parseRoutes, type RouteInput } from './route.ts';
import { systemClock, type Clock, type Logger } from './runtime.ts';
import { secretReader, type ReadSecret } from './secret.ts';
import { SINKS } from './sinks/registry.ts';
import type { Sink } from './sinks/sink.ts';

export type ExporterOptions = {
  readonly log: EventLog;
  readonly routes: readonly RouteInput[];
  /** Feeds, dead letters and the folder's lock; made where it is missing. */
  readonly exportDir: string;
  /** Every cosignature key (type 0x04) whose receipts count, past ones included. Asked whenever one is verified. */
  readonly cosignerKeys: () => Promise<readonly NoteKey[]>;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Kinds of destination beside the ones in the box are for tests. */
  readonly sinks?: readonly Sink[];
  readonly files?: FileSystem;
  readonly readSecret?: ReadSecret;
};

export type ExporterStatus = { readonly feed: FeedStatus; readonly routes: readonly RouteStatus[] };

export interface Exporter {
  status(): ExporterStatus;
  /**
   * From now on these are the routes: starts new ones, ends those that are gone, and begins changed ones anew where
   * they stood. The others go on untouched. Resolves when it is done.
   * @throws ZodError where the routes are wrong; nothing is changed then
   */
  apply(routes: readonly RouteInput[]): Promise<void>;
  /** The same and how far behind the log each route is, in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Lets what is in flight end, and resolves when nothing runs any more. What was not delivered stays in the log. */
  close(): Promise<void>;
}

/**
 * Reads the ordered log once for all routes, behind the log-order filter, and delivers along each at its own pace, in
 * the order of each device's log. A route's position moves only after its destination has acknowledged (INV-10).
 *
 * @throws ZodError where the routes are wrong; Error where another process exports into `exportDir`
 * @example
 * const exporter = startExporter({ log, routes: [DEFAULT_ROUTE], exportDir, cosignerKeys, logger });
 * await exporter.close();
 */
export function startExporter(options: ExporterOptions): Exporter {
  const routes = parseRoutes(options.routes, options.sinks);
  const ownership = takeOwnership(options.exportDir);
  const surroundings: ExporterSurroundings = {
    log: options.log,
    exportDir: options.exportDir,
    instance: ownership.instance,
    cosignerKeys: options.cosignerKeys,
    sinks: options.sinks ?? SINKS,
    readSecret: options.readSecret ?? secretReader(process.env),
    files: options.files ?? nodeFiles,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    logger: options.logger,
  };
  const stop = new AbortController();
  const engine = new Engine(surroundings, routes);
  const ended = engine.run(stop.signal);
  const status = (): ExporterStatus => {
    const feed = engine.feed();
    return { feed, routes: engine.routes().map((route) => heldUpBy(feed, route)) };
  };
  let closing: Promise<void> | null = null;
  return {
    status,
    apply: async (next) => engine.apply(parseRoutes(next, surroundings.sinks)),
    metrics: async () => formatMetrics(status(), await logEnds(options.log, options.logger)),
    close() {
      stop.abort();
      closing ??= ended.then(() => ownership.release());
      return closing;
    },
  };
}

/** A log that cannot be read holds every route up. */
function heldUpBy({ reason }: FeedStatus, route: RouteStatus): RouteStatus {
  if (reason === null || route.state === 'stopped') return route;
  return { ...route, state: 'retrying', reason };
}

/** A broker that hangs must not keep the figures from whoever watches. */
const LOG_ENDS_MS_MAX = 1_000;

/** Where the partitions end. None while the log does not say: the other figures are needed most just then. */
async function logEnds(log: EventLog, logger: Logger): Promise<LogEnds> {
  try {
    const { partitions } = await log.describe();
    const ids = Array.from({ length: partitions }, (_, partition) => partition);
    const ends = Promise.all(ids.map(async (id) => [id, await log.offsets(id)] as const));
    return new Map(await within(LOG_ENDS_MS_MAX, ends));
  } catch (error) {
    logger.warn({ err: error }, 'log.offsets_failed');
    return new Map();
  }
}

/** What `promise` comes to, or a rejection after `ms`; its own end is then nobody's. */
function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
