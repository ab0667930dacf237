import { isDeepStrictEqual } from 'node:util';
import type { KnownTenant, Logger, RouteInput } from '@tachograph/siem-export';
import { CliFailure } from '../cli-failure.ts';
import { errorMessage } from '../error-code.ts';
import { loadRoutes, type LoadedRoutes, type RoutesOrigin } from './load-routes.ts';
import { readRoutesText, type RoutesText } from './routes-text.ts';
import type { TenantDirectory } from './tenant-directory.ts';

/** What runs routes. */
export interface RoutesApplier {
  /** Starts new routes, stops removed ones and restarts changed ones; the others go on untouched. */
  apply(routes: readonly RouteInput[]): Promise<void>;
}

type Loaded = Extract<LoadedRoutes, { ok: true }>;
type Seen = { readonly text: RoutesText; readonly tenants: readonly KnownTenant[] | null };

/**
 * Keeps the routes that run in step with their file and with the tenants that there are. A file with problems changes
 * nothing: the routes before it go on.
 */
export class RoutesKeeper {
  readonly #origin: RoutesOrigin;
  readonly #directory: TenantDirectory;
  readonly #logger: Logger;
  #seen: Seen;
  #inForce: Loaded;
  /** What stood in the file that the routes in force follow from. */
  #goodText: RoutesText;
  #problems: readonly string[] = [];
  #directoryFails = false;
  #looking: Promise<void> = Promise.resolve();
  #waiting = false;

  private constructor(
    origin: RoutesOrigin,
    directory: TenantDirectory,
    logger: Logger,
    seen: Seen,
    loaded: Loaded,
  ) {
    this.#origin = origin;
    this.#directory = directory;
    this.#logger = logger;
    this.#seen = seen;
    this.#inForce = loaded;
    this.#goodText = seen.text;
    this.#directoryFails = seen.tenants === null;
    this.#warn(loaded.warnings);
  }

  /** @throws CliFailure with every problem of the file: there are no routes before it that could go on */
  static async open(origin: RoutesOrigin, directory: TenantDirectory, logger: Logger): Promise<RoutesKeeper> {
    const text = await readRoutesText(origin.file);
    const tenants = await tenantsNow(directory, logger);
    const loaded = loadRoutes(origin, text, tenants);
    if (!loaded.ok) throw routesFailure(loaded.problems);
    return new RoutesKeeper(origin, directory, logger, { text, tenants }, loaded);
  }

  /** The routes that should run now. */
  get routes(): readonly RouteInput[] {
    return this.#inForce.routes;
  }

  /**
   * Looks at file and tenants, and applies what has changed. Never rejects. Whoever asks while somebody looks gets the
   * end of one more look, so that no change stays unseen.
   */
  look(applier: RoutesApplier): Promise<void> {
    if (this.#waiting) return this.#looking;
    this.#waiting = true;
    this.#looking = this.#lookAfter(this.#looking, applier);
    return this.#looking;
  }

  /** Resolves when no look is under way. */
  settled(): Promise<void> {
    return this.#looking;
  }

  /** In Prometheus' text format. */
  metrics(): string {
    const gauges: readonly (readonly [string, string, number])[] = [
      [
        'tachograph_export_routes_file_valid',
        '0 while the file of routes has problems, or could not be applied: the routes before it go on.',
        this.#problems.length === 0 ? 1 : 0,
      ],
      ['tachograph_export_routes', 'Routes in force.', this.#inForce.routes.length],
      [
        'tachograph_export_routes_left_out',
        'Routes of templates that are left out because they would clash with others or not fit.',
        this.#inForce.leftOut,
      ],
      [
        'tachograph_export_tenants_uncovered',
        'Tenants that no route is for.',
        this.#inForce.uncovered.length,
      ],
    ];
    return gauges
      .map(([name, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`)
      .join('');
  }

  async #lookAfter(before: Promise<void>, applier: RoutesApplier): Promise<void> {
    await before;
    this.#waiting = false;
    try {
      await this.#look(applier);
    } catch (error) {
      // Nobody waits for a look, and one that fails must not be the last one.
      this.#logger.error({ err: error }, 'routes.look_failed');
    }
  }

  async #look(applier: RoutesApplier): Promise<void> {
    const seen = { text: await readRoutesText(this.#origin.file), tenants: await this.#tenants() };
    if (isDeepStrictEqual(seen, this.#seen)) return;
    const loaded = this.#load(seen);
    // New customers get their routes by the file before, while this one is no good.
    const next = loaded.ok ? loaded : loadRoutes(this.#origin, this.#goodText, seen.tenants);
    try {
      if (next.ok) await this.#apply(next, applier);
    } catch (error) {
      // What was seen is not remembered: the next look tries again.
      this.#refuse([`the routes cannot be applied: ${errorMessage(error)}`]);
      return;
    }
    this.#seen = seen;
    if (!loaded.ok) this.#refuse(loaded.problems);
    else this.#accept(seen.text, loaded);
  }

  #load({ text, tenants }: Seen): LoadedRoutes {
    const { file } = this.#origin;
    if (text.kind === 'none' && this.#inForce.file !== null) {
      // Somebody moves it, or takes it away by mistake: neither may end a feed.
      return {
        ok: false,
        file,
        problems: [`${file}: the file is gone; its routes go on until the next start`],
      };
    }
    return loadRoutes(this.#origin, text, tenants);
  }

  async #apply(loaded: Loaded, applier: RoutesApplier): Promise<void> {
    const change = changeBetween(this.#inForce.routes, loaded.routes);
    const isSame = Object.values(change).every((names) => names.length === 0);
    if (!isSame) {
      await applier.apply(loaded.routes);
      this.#logger.info({ file: loaded.file, routes: loaded.routes.length, ...change }, 'routes.applied');
    }
    if (!isDeepStrictEqual(loaded.warnings, this.#inForce.warnings)) this.#warn(loaded.warnings);
    this.#inForce = loaded;
  }

  /** Those that were known where nobody can say: a registry that is away for a while takes no route away. */
  async #tenants(): Promise<Seen['tenants']> {
    const tenants = await tenantsNow(this.#directory, this.#directoryFails ? null : this.#logger);
    this.#directoryFails = tenants === null;
    return tenants ?? this.#seen.tenants;
  }

  #accept(text: RoutesText, { file, routes }: Loaded): void {
    if (this.#problems.length > 0) this.#logger.info({ file, routes: routes.length }, 'routes.mended');
    this.#problems = [];
    this.#goodText = text;
  }

  #refuse(problems: readonly string[]): void {
    if (!isDeepStrictEqual(problems, this.#problems)) this.#logger.error({ problems }, 'routes.refused');
    this.#problems = problems;
  }

  #warn(warnings: readonly string[]): void {
    if (warnings.length > 0) this.#logger.warn({ warnings }, 'routes.warned');
  }
}

/** `null` where nobody can say; the reason goes to `logger`. */
async function tenantsNow(directory: TenantDirectory, logger: Logger | null): Promise<Seen['tenants']> {
  try {
    return await directory.tenants();
  } catch (error) {
    logger?.warn({ reason: errorMessage(error) }, 'tenants.read_failed');
    return null;
  }
}

/** A failure of a command that lists what is wrong with the file. */
export function routesFailure(problems: readonly string[]): CliFailure {
  const what = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new CliFailure(`The file of routes has ${what} (ERR_CONFIG).`, problems);
}

type Change = {
  readonly started: readonly string[];
  readonly stopped: readonly string[];
  readonly restarted: readonly string[];
};

/** The names of the routes that come, go and change. */
function changeBetween(before: readonly RouteInput[], after: readonly RouteInput[]): Change {
  const old = new Map(before.map((route) => [route.name, route]));
  const next = new Set(after.map(({ name }) => name));
  const changed = after
    .filter((route) => !isDeepStrictEqual(old.get(route.name), route))
    .map(({ name }) => name);
  return {
    started: changed.filter((name) => !old.has(name)),
    stopped: [...old.keys()].filter((name) => !next.has(name)),
    restarted: changed.filter((name) => old.has(name)),
  };
}
