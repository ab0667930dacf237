import { Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { formatFindings } from '../doctor/check.ts';
import { examine } from '../doctor/examine.ts';
import type { Io } from '../io.ts';
import { environmentHelp, SERVER_VARIABLES } from '../settings.ts';

/** `tachograph doctor` */
export function doctorCommand(io: Io): Command {
  return new Command('doctor')
    .description('look for what is wrong on this machine, and say what mends it')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      '\nIt changes nothing and may be run beside a running server. The exit code is 1 where something is wrong.',
    )
    .addHelpText('after', environmentHelp(SERVER_VARIABLES))
    .action(async (options: { json?: boolean }) => {
      const findings = await examine(io.env, Date.now());
      io.out(options.json === true ? `${JSON.stringify(findings, null, 2)}\n` : formatFindings(findings));
      const wrong = findings.filter(({ state }) => state === 'bad').length;
      if (wrong > 0) throw new CliFailure(wrong === 1 ? 'One thing is wrong.' : `${wrong} things are wrong.`);
    });
}
