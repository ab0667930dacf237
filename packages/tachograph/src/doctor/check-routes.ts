import { probeRoute, type KnownTenant, type RouteInput } from '@tachograph/siem-export';
import { dataFiles } from '../data-files.ts';
import { loadRoutes } from '../routes/load-routes.ts';
import { readRoutesText } from '../routes/routes-text.ts';
import type { Settings } from '../settings.ts';
import { bad, good, note, type Finding } from './check.ts';

const CHECK = 'routes';
const NAMED_MAX = 10;
/** Each may take as long as its time-out: a thousand customers' routes are not all tried. */
const DESTINATIONS_MAX = 100;
const PROBES_AT_ONCE = 10;
const PROBE_MS_MAX = 5_000;

/** Whether the file of routes is right, and each destination takes events. */
export async function checkRoutes(
  settings: Settings,
  tenants: readonly KnownTenant[] | null,
  env: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  const { routes: origin, config } = settings;
  const loaded = loadRoutes(origin, await readRoutesText(origin.file), tenants);
  if (!loaded.ok) {
    const found = `${loaded.file} is not used: a server goes on with the routes before it, and does not start anew`;
    return [bad(CHECK, found, ...shortened(loaded.problems))];
  }
  const { routes, file, warnings, uncovered } = loaded;
  const what = file === null ? 'the built-in one: every tenant, to files' : `${routes.length} from ${file}`;
  const more = [
    ...warnings,
    ...(uncovered.length > 0 ? [`no route is for ${shortened(uncovered).join(', ')}`] : []),
    ...(file !== null && env['EXPORT_FORMAT'] ? ['EXPORT_FORMAT does nothing beside a file of routes'] : []),
  ];
  const finding = more.length === 0 ? good(CHECK, what) : note(CHECK, what, ...shortened(more));
  return [finding, ...(await checkDestinations(routes, dataFiles(config.dataDir).exports, env))];
}

/** One finding for each destination that takes nothing, and one for all the others. */
async function checkDestinations(
  routes: readonly RouteInput[],
  exportDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  const destinations = new Map(routes.map((route) => [JSON.stringify(route.sink), route]));
  const tried = [...destinations.values()].slice(0, DESTINATIONS_MAX);
  const failing: Finding[] = [];
  for (let from = 0; from < tried.length; from += PROBES_AT_ONCE) {
    const findings = tried.slice(from, from + PROBES_AT_ONCE).map(async (route) => {
      const probe = await probeRoute(route, { env, exportDir, signal: AbortSignal.timeout(PROBE_MS_MAX) });
      return probe.ready ? [] : [bad('destination', `route ${route.name}: ${probe.found}`, ...probe.mend)];
    });
    failing.push(...(await Promise.all(findings)).flat());
  }
  const others = destinations.size - tried.length;
  const well = `${tried.length - failing.length} of ${tried.length} can be reached`;
  const summary = others === 0 ? well : `${well}; ${others} more were not tried`;
  return [...failing, ...(tried.length > 0 ? [good('destinations', summary)] : [])];
}

function shortened(lines: readonly string[]): string[] {
  const more = lines.length - NAMED_MAX;
  return more > 1 ? [...lines.slice(0, NAMED_MAX), `and ${more} more`] : [...lines];
}
