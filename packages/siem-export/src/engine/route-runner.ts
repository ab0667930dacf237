import type { Route } from '../route.ts';
import { retryDelayMs } from './backoff.ts';
import { addCounts, noCounts, type RouteCounts } from './counts.ts';
import { RouteStopped, type Trouble } from './delivery.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import { RouteSession } from './route-session.ts';

export type RouteStatus = {
  readonly name: string;
  /** `halted`: somebody has to change something; it is tried again now and then all the same. */
  readonly state: 'starting' | 'running' | 'retrying' | 'halted' | 'stopped';
  /** Why it is not running. */
  readonly reason: string | null;
  readonly counts: RouteCounts;
  /** By partition: the offset up to which everything is delivered. */
  readonly positions: ReadonlyMap<number, number>;
};

/** Runs one route until it is stopped. Whatever fails, it opens everything anew and goes on from the commits. */
export class RouteRunner {
  readonly #route: Route;
  readonly #surroundings: ExporterSurroundings;
  readonly #counts = noCounts();
  readonly #positions = new Map<number, number>();
  #state: RouteStatus['state'] = 'starting';
  #reason: string | null = null;

  constructor(route: Route, surroundings: ExporterSurroundings) {
    this.#route = route;
    this.#surroundings = surroundings;
  }

  /** Never rejects: what fails here is logged and tried again, so that one route cannot end the others. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#surroundings;
    const route = this.#route.name;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const commitsBefore = this.#counts.commits;
      try {
        await this.#runOnce(signal);
      } catch (error) {
        if (signal.aborted && error instanceof RouteStopped) break;
        if (this.#counts.commits > commitsBefore) attempt = 1;
        const waitMs = retryDelayMs(attempt, random());
        this.#trouble({ kind: 'retrying', reason: messageOf(error) });
        logger.error({ route, err: error, waitMs }, 'route.failed');
        await clock.sleep(waitMs, signal);
      }
    }
    this.#state = 'stopped';
    logger.info({ route, ...this.#counts }, 'route.stopped');
  }

  status(): RouteStatus {
    return {
      name: this.#route.name,
      state: this.#state,
      reason: this.#reason,
      counts: { ...this.#counts },
      positions: new Map(this.#positions),
    };
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    // The folder's lock keeps a second process out: an earlier reader of this name can only be a dead one of ours.
    const { log, instance } = this.#surroundings;
    const reader = await log.openGroup(groupOf(this.#route), { instance });
    const session = await RouteSession.open(
      this.#route,
      this.#surroundings,
      reader,
      {
        trouble: (trouble) => this.#trouble(trouble),
        settled: (partition, position, counts) => {
          this.#positions.set(partition, position);
          if (counts !== null) addCounts(this.#counts, counts);
        },
      },
      signal,
    );
    try {
      this.#trouble(null);
      await reader.run(session.handler, signal);
    } finally {
      await session.close();
    }
  }

  #trouble(trouble: Trouble | null): void {
    this.#state = trouble?.kind ?? 'running';
    this.#reason = trouble?.reason ?? null;
  }
}

/** The reading group of a route. Routes are groups of their own, so that a dead destination slows no other. */
function groupOf({ name }: Pick<Route, 'name'>): string {
  return `export.${name}`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
