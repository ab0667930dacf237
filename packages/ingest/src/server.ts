import { fastify, type FastifyInstance } from 'fastify';
import type { EventLog } from '@tachograph/event-log';
import type { Fault, NoteSigner } from '@tachograph/wire';
import type { Logger } from 'pino';
import { Receipts } from './append/receipts.ts';
import { appendRoutes } from './append/routes.ts';
import type { IngestConfig } from './config.ts';
import type { Clock, IngestContext } from './context.ts';
import type { ApiContext, ControlContext } from './api-context.ts';
import { adminGate } from './control/admin-tokens.ts';
import { controlRoutes } from './control/routes.ts';
import { ControlSweeper } from './control/sweeper.ts';
import { enrolmentRoutes } from './enrolment/routes.ts';
import { HeldBytes } from './held-bytes.ts';
import { BodyBudget } from './http/body-budget.ts';
import { ExposureIndexer } from './exposure/indexer.ts';
import { installHttp } from './http/install.ts';
import { registerRoutes } from './http/register.ts';
import { serverOptions } from './http/server-options.ts';
import type { LoadedKeys } from './keys/load-keys.ts';
import { openLanes, type Lanes } from './lane/lanes.ts';
import type { LanePorts } from './lane/ports.ts';
import { WaitingBytes } from './lane/waiting-bytes.ts';
import { createMetrics, type IngestMetrics } from './metrics.ts';
import { withOperations } from './openapi/operations.ts';
import { registryFault } from './registry/health.ts';
import type { Registry } from './registry/registry.ts';
import { TenantLogDrainer } from './tenant-log/drainer.ts';
import { SYSTEM_TIMING, type Timing } from './timing.ts';

export type IngestOptions = {
  readonly config: IngestConfig;
  /** The ordered log and the registry stay the caller's: it closes them after {@link Ingest.close}. */
  readonly log: EventLog;
  readonly registry: Registry;
  readonly keys: LoadedKeys;
  /** The directive keys, where this process has the control role as well; none otherwise. */
  readonly directives?: readonly NoteSigner[];
  /** `false`: the control role alone, which serves no device. */
  readonly devices?: boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly timing?: Timing;
  readonly metrics?: IngestMetrics;
};

export type Ingest = {
  /** Not listening yet; more routes may be registered before `ready`. */
  readonly app: FastifyInstance;
  readonly context: IngestContext;
  /** Resolves when every partition has been read to its end: from then on requests are served at once. */
  readonly ready: () => Promise<void>;
  readonly isReady: () => boolean;
  /** Does now what the control role does each minute: dark devices, purges of successors, exposures. */
  readonly sweep: () => Promise<void>;
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
  const held = new HeldBytes(config.heldBytesMax);
  const waiting = new WaitingBytes(held, config.laneBytesMax);
  const bodies = new BodyBudget(held, undefined, () => metrics.requestRefused('bodies'));
  metrics.heldBytesFrom(() => ({ bodies: bodies.heldBytes, lanes: waiting.total }));
  const lanePorts: LanePorts = {
    ...config,
    log,
    registry,
    clock,
    logger,
    metrics,
    cosigned: (origin, range, timeSeconds) => receipts.note(origin, range, timeSeconds),
    cosignerKeys: keys.cosignerKeys,
    timing: options.timing ?? SYSTEM_TIMING,
    waiting,
  };
  const lanes = await openLanes(lanePorts);
  const drainer = new TenantLogDrainer({ config, clock, registry, keys, logger, metrics }, lanes);
  const context = { config, clock, registry, log, keys, logger, metrics, tenantLog: drainer };
  const control = controlContext(context, options.directives ?? []);
  const app = fastify(serverOptions(config, logger));
  installHttp(app, metrics.httpRequestEnded);
  const routes = withOperations(
    [
      ...(options.devices === false
        ? []
        : [...appendRoutes({ context, lanes, lanePorts, receipts }), ...enrolmentRoutes(context)]),
      ...(control === null ? [] : controlRoutes(control)),
    ],
    { metrics, notReadyBecause: () => notReadyBecause(lanes, registry) },
  );
  const gate = adminGate(registry, config.adminToken, clock);
  registerRoutes(app, routes, { gate, trustedProxies: config.trustedProxies, bodies });
  const sweeper = control === null ? null : new ControlSweeper(control);
  return running({ app, context, lanes, drainer, sweeper });
}

/** What the control role works with; `null` where this process has not got the directive key. */
function controlContext(
  context: IngestContext & ApiContext,
  directives: readonly NoteSigner[],
): ControlContext | null {
  if (directives.length === 0) return null;
  return { ...context, directives, exposures: new ExposureIndexer(context) };
}

async function notReadyBecause(lanes: Lanes, registry: Registry): Promise<Fault | null> {
  return lanes.notReadyBecause() ?? registryFault(registry);
}

function running(parts: {
  app: FastifyInstance;
  context: IngestContext;
  lanes: Lanes;
  drainer: TenantLogDrainer;
  sweeper: ControlSweeper | null;
}): Ingest {
  const { app, context, lanes, drainer, sweeper } = parts;
  const started = start(lanes, drainer, sweeper);
  return {
    app,
    context,
    ready: () => started,
    isReady: () => lanes.isReady(),
    sweep: async () => sweeper?.sweep(),
    close: async () => {
      // Requests that were let in are answered first: they wait for their lanes, and this for them.
      await Promise.all([
        closeHttp(app, context.config.shutdownTimeoutMs),
        drainer.close(),
        sweeper?.close(),
      ]);
      await lanes.close();
      await started;
    },
  };
}

async function start(lanes: Lanes, drainer: TenantLogDrainer, sweeper: ControlSweeper | null): Promise<void> {
  await lanes.start();
  drainer.wake();
  void sweeper?.sweep();
}

const IDLE_SWEEP_MS = 25;

/**
 * Stops listening and waits for the requests in flight, at most `timeoutMs`. A connection that is kept alive goes
 * idle only once its last answer is sent, which is after the server has looked for idle ones: look again.
 */
async function closeHttp(app: FastifyInstance, timeoutMs: number): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS);
  const cut = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
