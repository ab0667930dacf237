import { Command } from 'commander';
import { devicesCommand } from './admin/devices.ts';
import { forksCommand } from './admin/forks.ts';
import { offboardCommand } from './admin/offboard.ts';
import { policyCommand } from './admin/policy.ts';
import { tenantsCommand } from './admin/tenants.ts';
import { tokenCommand } from './admin/tokens.ts';
import { dlqCommand } from './commands/dlq.ts';
import { doctorCommand } from './commands/doctor.ts';
import { keysCommand } from './commands/keys.ts';
import { logCommand } from './commands/log.ts';
import { controlCommand, exportCommand, ingestCommand } from './commands/roles.ts';
import { serveCommand } from './commands/serve.ts';
import { evidenceCommand, proveCommand } from './commands/prove.ts';
import { replayCommand } from './commands/replay.ts';
import { tailCommand } from './commands/tail.ts';
import { topicsCommand } from './commands/topics.ts';
import { verifyCommand } from './commands/verify.ts';
import type { Io } from './io.ts';
import { CLIENT_VARIABLES, environmentHelp, SERVER_VARIABLES, type Variable } from './settings.ts';

const HELP_COLUMNS = 110;

const EXAMPLES = `
Examples:
  tachograph serve                                  everything on http://localhost:8787
  tachograph admin tenants create acme              a tenant for the devices of acme
  tachograph admin token create acme --uses 20      a token that lets 20 devices in
  tachograph admin devices list acme                who has enrolled, and what each held when last seen
  tachograph export plan                            which events go where
  tachograph offboard acme ana --wait               shut a person out, and which secrets they know
  tachograph verify data/export/events.ndjson       whether the feed is complete, and untouched
  tachograph doctor                                 what is wrong here, and what mends it`;

/** The `tachograph` command. Its actions reject with a `CliFailure` where a person can mend what is wrong. */
export function createProgram(io: Io): Command {
  const program = new Command('tachograph')
    .description(
      'Takes the audit events that apps record on their devices, online or offline, and hands them to a SIEM: ' +
        'each once, in order, or with proof of what is missing.',
    )
    .usage('<command> [options]')
    .commandsGroup('Run:')
    .addCommand(serveCommand(io))
    .addCommand(ingestCommand(io))
    .addCommand(controlCommand(io))
    .addCommand(exportCommand(io))
    .commandsGroup('Look after it:')
    .addCommand(adminGroup(io))
    .addCommand(offboardCommand(io))
    .addCommand(policyCommand(io))
    .addCommand(keysCommand(io))
    .addCommand(topicsCommand(io))
    .addCommand(logCommand(io))
    .addCommand(tailCommand(io))
    .addCommand(verifyCommand(io))
    .addCommand(proveCommand(io))
    .addCommand(evidenceCommand(io))
    .addCommand(dlqCommand(io))
    .addCommand(replayCommand(io))
    .addCommand(doctorCommand(io))
    .commandsGroup('Help:')
    .helpCommand('help [command]', 'what a command does, and its options')
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', environmentHelp([...SERVER_VARIABLES.filter(isCommon), ...CLIENT_VARIABLES]))
    .addHelpText('after', '\ntachograph serve --help lists the rest of them.');
  settle(program, io);
  return program;
}

function adminGroup(io: Io): Command {
  return new Command('admin')
    .description('tenants, enrolment tokens, devices and evidence, by way of the control API')
    .usage('<command> [options]')
    .addCommand(tenantsCommand(io))
    .addCommand(tokenCommand(io))
    .addCommand(devicesCommand(io))
    .addCommand(forksCommand(io))
    .addHelpText('after', environmentHelp([...SERVER_VARIABLES.filter(isRead), ...CLIENT_VARIABLES]));
}

/** The settings of a server that nobody runs one without knowing. */
function isCommon({ name }: Variable): boolean {
  return ['PORT', 'HOST', 'DATA_DIR', 'AUTHORITY', 'ADMIN_TOKEN', 'LOG_LEVEL', 'DEMO'].includes(name);
}

/** The settings of a server that an admin command reads too, to find one on this machine. */
function isRead({ name }: Variable): boolean {
  return ['PORT', 'DATA_DIR', 'ADMIN_TOKEN'].includes(name);
}

/** The same manners for every command, however deep: where it prints, and that a mistake shows the way to help. */
function settle(command: Command, io: Io): void {
  command
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
    .configureHelp({
      helpWidth: HELP_COLUMNS,
      // The options of a command stand in its own help; here they would push the descriptions aside.
      subcommandTerm: (sub) =>
        [sub.name(), ...sub.registeredArguments.map((argument) => `<${argument.name()}>`)].join(' '),
    })
    .showHelpAfterError(`(${fullName(command)} --help says more)`);
  for (const sub of command.commands) settle(sub, io);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
