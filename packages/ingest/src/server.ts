import { fastify, type FastifyInstance } from 'fastify';
import type { EventLog } from '@tachograph/event-log';
import type { NoteSigner } from '@tachograph/wire';
import type { Logger } from 'pino';
import type { ApiContext } from './api-context.ts';
import { Receipts } from './append/receipts.ts';
import { appendRoutes } from './append/routes.ts';
import type { IngestConfig } from './config.ts';
import type { Clock, IngestContext } from './context.ts';
import { enrolmentRoutes } from './enrolment/routes.ts';
import { installHttp } from './http/install.ts';
import { registerRoutes, type Gate } from './http/register.ts';
import { serverOptions } from './http/server-options.ts';
import type { LoadedKeys } from './keys/load-keys.ts';
import { openLanes, type Lanes } from './lane/lanes.ts';
import type { LanePorts } from './lane/ports.ts';
import { createMetrics, type IngestMetrics } from './metrics.ts';
import type { Registry } from './registry/registry.ts';
import { TenantLogDrainer } from './tenant-log/drainer.ts';

export type IngestOptions = {
  readonly config: IngestConfig;
  /** The ordered log and the registry stay the caller's: it closes them after {@link Ingest.close}. */
  readonly log: EventLog;
  readonly registry: Registry;
  readonly keys: LoadedKeys;
  /** The directive key, where this process has the control role as well. */
  readonly directive?: NoteSigner | null;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly metrics?: IngestMetrics;
};

export type Ingest = {
  /** Not listening yet; more routes may be registered before `ready`. */
  readonly app: FastifyInstance;
  readonly context: IngestContext;
  /** Resolves when every partition has been read to its end: from then on requests are served at once. */
  readonly ready: () => Promise<void>;
  readonly isReady: () => boolean;
  /** Takes no new work and resolves when all that is in flight has settled and been answered. */
  readonly close: () => Promise<void>;
};

/**
 * Makes the HTTP service of ingest over a log and a registry. Reading the log starts at once; requests that come
 * before it has ended wait for it.
 *
 * @throws where the registry belongs to a log with another number of partitions
 */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { config, keys, registry, log, logger } = options;
  const clock = options.clock ?? Date.now;
  const metrics = options.metrics ?? createMetrics({ withProcess: false });
  const receipts = new Receipts(keys.cosigners);
  const lanePorts: LanePorts = {
    ...config,
    log,
    registry,
    clock,
    logger,
    metrics,
    cosigned: (origin, range, timeSeconds) => receipts.note(origin, range, timeSeconds),
    cosignerKeys: keys.cosignerKeys,
  };
  const lanes = await openLanes(lanePorts);
  const drainer = new TenantLogDrainer({ config, clock, registry, keys, logger, metrics }, lanes);
  const context = { config, clock, registry, log, keys, logger, metrics, tenantLog: drainer };
  const directive = options.directive ?? null;
  const api: ApiContext = { ...context, directive, wakeOutbox: () => drainer.wake() };
  const app = fastify(serverOptions(config, logger));
  installHttp(app, metrics.httpRequestEnded);
  const routes = [...appendRoutes({ context, lanes, lanePorts, receipts }), ...enrolmentRoutes(api)];
  registerRoutes(app, routes, { gate: closedGate, trustedProxies: config.trustedProxies });
  return running({ app, context, lanes, drainer });
}

const closedGate: Gate = { authenticate: async () => null, reaches: async () => false };

function running(parts: {
  app: FastifyInstance;
  context: IngestContext;
  lanes: Lanes;
  drainer: TenantLogDrainer;
}): Ingest {
  const { app, context, lanes, drainer } = parts;
  const started = lanes.start().then(() => drainer.wake());
  return {
    app,
    context,
    ready: () => started,
    isReady: () => lanes.isReady(),
    close: async () => {
      // Requests that were let in are answered first: `app.close` waits for them, and they for their lanes.
      await Promise.all([app.close(), drainer.close()]);
      await lanes.close();
      await started;
    },
  };
}
