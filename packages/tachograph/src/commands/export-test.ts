import { openBeside, sendAlong, testEvent, type Sent } from '@tachograph/siem-export';
import { Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { dataFiles } from '../data-files.ts';
import { errorMessage } from '../error-code.ts';
import { printable, type Io } from '../io.ts';
import { knownRoute } from '../routes/known-routes.ts';
import { quietLogger } from '../routes/quiet-logger.ts';
import { loadSettings } from '../settings.ts';

const TIMEOUT_MS = 60_000;

/** `tachograph export test` */
export function testCommand(io: Io): Command {
  return new Command('test')
    .description(
      'send one event that is marked as a test along a route, and say what the destination answers',
    )
    .argument('<route>', 'its name')
    .option('--tenant <id>', 'whose event it is; else the first tenant of the route')
    .addHelpText(
      'after',
      '\nThe event has the action export.test and stands in no log. A route to a file writes it to a file beside the feed.',
    )
    .action(async (name: string, options: { tenant?: string }) => {
      const settings = loadSettings(io.env);
      const route = await knownRoute(settings, name);
      const tenant =
        options.tenant ?? (Array.isArray(route.tenants) ? route.tenants[0] : undefined) ?? 'test';
      const exportDir = dataFiles(settings.config.dataDir).exports;
      const beside = await openBeside(route, {
        purpose: 'test',
        exportDir,
        env: io.env,
        logger: quietLogger,
      }).catch((error: unknown) => {
        throw new CliFailure(`The destination of ${name} cannot be opened: ${errorMessage(error)}`, [DOCTOR]);
      });
      try {
        const sent = await sendAlong(beside.route, beside.sink, [testEvent(name, tenant, Date.now())], {
          clock: { now: () => Date.now(), sleep: (ms) => io.sleep(ms) },
          random: Math.random,
          logger: quietLogger,
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        io.out(answerOf(name, sent, beside.file));
      } finally {
        await beside.sink.close();
      }
    });
}

const DOCTOR = '`tachograph doctor` says more.';

/** @throws CliFailure where the destination did not take it */
function answerOf(route: string, sent: Sent, file: string | null): string {
  if (sent.kind === 'not-taken') {
    const mend =
      sent.trouble === 'halted'
        ? ['Nothing goes along this route before that is mended; events wait in the log.', DOCTOR]
        : ['The exporter would try again by itself; events wait in the log.', DOCTOR];
    throw new CliFailure(`${route} did not take it: ${printable(sent.reason)}`, mend);
  }
  const [refused] = sent.refused;
  if (refused !== undefined) {
    throw new CliFailure(`${route} refused it: ${printable(refused.reason)}`, [
      'An event that is refused goes to the dead letters, and the others go on: `tachograph dlq list`.',
    ]);
  }
  return file === null
    ? `✓ ${route} has acknowledged it.\n`
    : `✓ ${route} wrote it to ${file}, beside the feed.\n`;
}
