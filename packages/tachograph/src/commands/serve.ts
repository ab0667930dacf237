import { Command } from 'commander';
import type { Io } from '../io.ts';
import { formatBanner } from '../serve/banner.ts';
import { closeOnSignal } from '../serve/shutdown.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES } from '../settings.ts';

/** `tachograph serve` */
export function serveCommand(io: Io): Command {
  return new Command('serve')
    .description('everything in one process: ingest, control, export and the demo')
    .addHelpText(
      'after',
      '\nOne port, one folder, nothing else to install. What is missing in the folder is made at the first start.',
    )
    .addHelpText('after', environmentHelp(SERVER_VARIABLES))
    .action(async () => {
      // Loaded only now: no other command needs a server.
      const { startServer } = await import('../serve/server.ts');
      const server = await startServer(loadSettings(io.env));
      io.out(formatBanner(server));
      await closeOnSignal(io, server.close);
    });
}
