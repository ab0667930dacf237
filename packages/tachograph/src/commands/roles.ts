import { Command } from 'commander';
import type { Io } from '../io.ts';
import { planCommand } from './export-plan.ts';
import { testCommand } from './export-test.ts';
import { closeOnSignal } from '../serve/shutdown.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES, type Variable } from '../settings.ts';

const ONE_HOST =
  '\nOn one machine the processes of a deployment share DATA_DIR, and each role runs once. With KAFKA_BROKERS and\n' +
  'DATABASE_URL any number of nodes may run, each with a DATA_DIR of its own.\n' +
  'The keys must be there: `tachograph keys create` makes them.';

/** `tachograph ingest` */
export function ingestCommand(io: Io): Command {
  return roleCommand(
    'ingest',
    'only what devices talk to: enrolment, appends, receipts; no directive key',
    ({ name }) => !['ADMIN_TOKEN', 'ROUTES_FILE', 'EXPORT_FORMAT', 'DEMO'].includes(name),
  ).action(async () => {
    const { startRole } = await import('../serve/roles.ts');
    const role = await startRole(loadSettings(io.env), 'ingest');
    io.out(`Serving devices on ${role.url}\n`);
    await closeOnSignal(io, role.close);
  });
}

/** `tachograph control` */
export function controlCommand(io: Io): Command {
  return roleCommand(
    'control',
    'only the control API, with the directive key; needs ADMIN_TOKEN',
    ({ name }) => !['ROUTES_FILE', 'EXPORT_FORMAT', 'DEMO'].includes(name),
  ).action(async () => {
    const { startRole } = await import('../serve/roles.ts');
    const role = await startRole(loadSettings(io.env), 'control');
    io.out(`Serving the control API on ${role.url}\n`);
    await closeOnSignal(io, role.close);
  });
}

/** `tachograph export` */
export function exportCommand(io: Io): Command {
  return roleCommand('export', 'only the exporter: from the log to where its routes lead', ({ name }) =>
    ['DATA_DIR', 'DATABASE_URL', 'AUTHORITY', 'LOG_LEVEL', 'ROUTES_FILE', 'EXPORT_FORMAT'].includes(name),
  )
    .addCommand(planCommand(io))
    .addCommand(testCommand(io))
    .action(async () => {
      const { startExport } = await import('../serve/roles.ts');
      const role = await startExport(loadSettings(io.env));
      io.out(`Exporting to ${role.exportDir}\n`);
      await closeOnSignal(io, role.close);
    });
}

function roleCommand(name: string, description: string, reads: (variable: Variable) => boolean): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', ONE_HOST)
    .addHelpText('after', environmentHelp(SERVER_VARIABLES.filter(reads)));
}
