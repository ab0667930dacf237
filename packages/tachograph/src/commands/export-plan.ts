import { describeRoute } from '@tachograph/siem-export';
import { Command } from 'commander';
import type { Io } from '../io.ts';
import { knownRoutes, type KnownRoutes } from '../routes/known-routes.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES } from '../settings.ts';
import { formatTable } from '../table.ts';

type Options = { readonly file?: string; readonly json?: boolean };

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
      const settings = loadSettings(io.env);
      const origin = file === undefined ? settings.routes : { ...settings.routes, file, named: true };
      const plan = await knownRoutes(settings, origin);
      io.out(json === true ? asJson(plan) : asText(plan));
    });
}

function asJson({ file, routes, warnings, uncovered, unknown }: KnownRoutes): string {
  const plan = { file, routes: routes.map(describeRoute), warnings, uncovered, tenantsUnknown: unknown };
  return `${JSON.stringify(plan, null, 2)}\n`;
}

function asText({ file, routes, warnings, uncovered, unknown }: KnownRoutes): string {
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
