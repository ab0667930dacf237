import { describeRoute, type KnownTenant } from '@tachograph/siem-export';
import { Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import type { Io } from '../io.ts';
import { loadRoutes, type LoadedRoutes } from '../routes/load-routes.ts';
import { routesFailure } from '../routes/routes-keeper.ts';
import { readRoutesText } from '../routes/routes-text.ts';
import { sharedDirectory } from '../routes/tenant-directory.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES, type Settings } from '../settings.ts';
import { formatTable } from '../table.ts';

type Options = { readonly file?: string; readonly json?: boolean };
type Plan = Extract<LoadedRoutes, { ok: true }> & { readonly unknown: string | null };

const READS = new Set(['DATA_DIR', 'DATABASE_URL', 'ROUTES_FILE', 'EXPORT_FORMAT']);
const NAMES_MAX = 5;

/** `tachograph export plan` */
export function planCommand(io: Io): Command {
  return new Command('plan')
    .description('what would go where by a file of routes; sends nothing and changes nothing')
    .option('--file <file>', 'look at this file instead of the one that a server would use')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(({ name }) => READS.has(name))))
    .action(async ({ file, json }: Options) => {
      const plan = await makePlan(loadSettings(io.env), file);
      io.out(json === true ? asJson(plan) : asText(plan));
    });
}

/** @throws CliFailure with every problem of the file */
async function makePlan(settings: Settings, file: string | undefined): Promise<Plan> {
  const origin = file === undefined ? settings.routes : { ...settings.routes, file, named: true };
  const { tenants, unknown } = await knownTenants(settings);
  const loaded = loadRoutes(origin, await readRoutesText(origin.file), tenants);
  if (!loaded.ok) throw routesFailure(loaded.problems);
  return { ...loaded, unknown };
}

async function knownTenants({
  config,
}: Settings): Promise<{ tenants: readonly KnownTenant[] | null; unknown: string | null }> {
  const directory = sharedDirectory(config);
  try {
    return { tenants: await directory.tenants(), unknown: null };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    return { tenants: null, unknown: error.message };
  } finally {
    await directory.close();
  }
}

function asJson({ file, routes, warnings, uncovered, unknown }: Plan): string {
  const plan = { file, routes: routes.map(describeRoute), warnings, uncovered, tenantsUnknown: unknown };
  return `${JSON.stringify(plan, null, 2)}\n`;
}

function asText({ file, routes, warnings, uncovered, unknown }: Plan): string {
  const rows = routes
    .map(describeRoute)
    .map((route) => [
      route.name,
      listText(route.tenants === '*' ? ['*'] : route.tenants),
      listText(route.actions ?? ['all']),
      route.format,
      route.time,
      route.destination,
      route.deadLetters,
    ]);
  const notes = [
    ...warnings,
    ...(unknown === null ? [] : [`The tenants are not known here: ${unknown}`]),
    ...(uncovered.length === 0
      ? []
      : [`No route is for ${listText(uncovered)}: their events stay in the log.`]),
  ];
  const head = file === null ? 'No file of routes: the built-in route.' : file;
  const foot = notes.map((line) => `! ${line}\n`).join('');
  return `${head}\n\n${formatTable(COLUMNS, rows)}${foot === '' ? '' : `\n${foot}`}`;
}

const COLUMNS = ['route', 'tenants', 'actions', 'format', 'time', 'destination', 'dead letters'];

function listText(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  return more > 1 ? `${names.slice(0, NAMES_MAX).join(', ')} and ${more} more` : names.join(', ');
}
