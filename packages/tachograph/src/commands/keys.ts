import {
  beginRotation,
  endRotation,
  ROTATING_KEYS,
  type RotatingKey,
  type SignedKeys,
} from '@tachograph/ingest';
import { formatVkey } from '@tachograph/wire';
import { Argument, Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import type { Io } from '../io.ts';
import { makeDataFolder } from '../serve/data-folder.ts';
import { ensureKeys, keysNotes, need } from '../serve/keys.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES } from '../settings.ts';

/** `tachograph keys …` */
export function keysCommand(io: Io): Command {
  return new Command('keys')
    .description('the keys of this deployment, in DATA_DIR')
    .usage('<command> [options]')
    .addCommand(createCommand(io))
    .addCommand(showCommand(io))
    .addCommand(rotateCommand(io))
    .addHelpText(
      'after',
      environmentHelp(SERVER_VARIABLES.filter(({ name }) => name === 'DATA_DIR' || name === 'AUTHORITY')),
    );
}

function createCommand(io: Io): Command {
  return new Command('create')
    .description('make the keys that are missing; what is there is never replaced')
    .action(async () => {
      const { config } = loadSettings(io.env);
      const notes = await ensureKeys(makeDataFolder(config.dataDir), config.authority);
      io.out(describe(notes));
    });
}

function showCommand(io: Io): Command {
  return new Command('show')
    .description('print the public keys, and the one that apps pin')
    .option('--json', 'print them as JSON')
    .action(async (options: { json?: boolean }) => {
      const { config } = loadSettings(io.env);
      const notes = await keysNotes(config.dataDir, config.authority);
      const newest = notes.at(-1)!;
      const directiveKeys = newest.signedBy.map(formatVkey);
      if (options.json === true) {
        const { counter, keys } = newest.statement;
        io.out(
          `${JSON.stringify({ directiveKey: directiveKeys.at(-1), directiveKeys, counter, keys: keys.map(formatVkey) }, null, 2)}\n`,
        );
      } else {
        // The newest first: while it is rotated, that is the one to pin.
        const lines = directiveKeys.toReversed().join('\n  ');
        io.out(`Directive key, for apps to pin:\n  ${lines}\n${describe(newest)}`);
      }
    });
}

function rotateCommand(io: Io): Command {
  return new Command('rotate')
    .description('change a key: a second one joins, and with --finish the first one goes')
    .addArgument(
      new Argument('[key]', 'which: of receipts, leases, the tenants’ own logs, or directives')
        .choices(ROTATING_KEYS)
        .default('cosigner'),
    )
    .option('--finish', 'end the rotation: from now on only the newer key is in force')
    .addHelpText('after', ROTATE_HELP)
    .action(async (key: RotatingKey, options: { finish?: boolean }) => {
      const { config } = loadSettings(io.env);
      await keysNotes(config.dataDir, config.authority);
      const finish = options.finish === true;
      const rotated = await (finish ? endRotation : beginRotation)(config.dataDir, config.authority, key);
      if (!rotated.ok && rotated.fault.code === 'ERR_EXISTS') throw wrongStep(key, finish);
      io.out(describe(need(rotated)));
      io.out('Restart the servers to take it up.\n');
    });
}

const ROTATE_HELP = `
Restart the servers after each step. Leave some days between the two, so that every device has learnt the newer
key; what the older one has signed stays good. The older directive key hands over to the newer one: devices that
know the older one go over at their next contact, also if they were away for all of it. Where it was stolen,
take both steps at once, and pin the newer one in the app (\`tachograph keys show\`): a thief can reach devices
that have not gone over yet.`;

function wrongStep(key: RotatingKey, finish: boolean): CliFailure {
  return finish
    ? new CliFailure('No rotation is under way.', [`Begin one with: tachograph keys rotate ${key}`])
    : new CliFailure('A rotation is under way already.', [
        `End it with: tachograph keys rotate ${key} --finish`,
      ]);
}

function describe({ statement: { counter, keys } }: SignedKeys): string {
  return `Keys note ${counter}:\n${keys.map((key) => `  ${formatVkey(key)}\n`).join('')}`;
}
