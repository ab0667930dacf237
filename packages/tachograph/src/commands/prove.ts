import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { proveEvent, type ProvenEvent } from '@tachograph/siem-export';
import type { EventLog } from '@tachograph/event-log';
import { formatVkey, SIGNATURE_TYPE } from '@tachograph/wire';
import { Command } from 'commander';
import { CliFailure } from '../cli-failure.ts';
import { errorMessage } from '../error-code.ts';
import { printable, type Io } from '../io.ts';
import { withExistingLog } from '../serve/existing-log.ts';
import { keysNotes } from '../serve/keys.ts';
import { environmentHelp, loadSettings, SERVER_VARIABLES, type Settings } from '../settings.ts';
import { deviceVkeys } from '../verify/device-vkeys.ts';

const READS = /^(KAFKA_|DATA_DIR|AUTHORITY)/;
const ID = 'as the feed has it: <device>/<index>/<hash>';
const variables = environmentHelp(SERVER_VARIABLES.filter(({ name }) => READS.test(name)));

/** `tachograph prove` */
export function proveCommand(io: Io): Command {
  return new Command('prove')
    .description("print the proof that an event stands in its device's log (C2SP tlog-proof)")
    .argument('<id>', ID)
    .addHelpText(
      'after',
      '\nAny tool that reads tlog-proofs checks it, with the bytes of the event and the device’s key.',
    )
    .addHelpText('after', variables)
    .action(async (id: string) => {
      const [proven] = await withExistingLog(loadSettings(io.env), (log) => proveAll(log, [id]));
      io.out(proven!.proof);
    });
}

/** `tachograph evidence` */
export function evidenceCommand(io: Io): Command {
  return new Command('evidence')
    .description(
      'write a folder that shows a third party that events happened as recorded, without this installation',
    )
    .argument('<id...>', ID)
    .requiredOption('--out <folder>', 'where to; it must not be there yet')
    .addHelpText(
      'after',
      '\nIt holds the signed bytes, a proof for each, public keys, a list with SHA-256 of each, and how to check them.',
    )
    .addHelpText('after', variables)
    .action(async (ids: readonly string[], { out }: { out: string }) => {
      const settings = loadSettings(io.env);
      const { events, vkeys } = await withExistingLog(settings, async (log) => ({
        events: await proveAll(log, ids),
        vkeys: await deviceVkeys(log),
      }));
      const files = filesOf(events, vkeys, await logVkeys(settings));
      write(out, files);
      io.out(`${files.size} files in ${printable(out)}: README.txt says how to check them.\n`);
    });
}

async function proveAll(log: EventLog, ids: readonly string[]): Promise<ProvenEvent[]> {
  const events: ProvenEvent[] = [];
  for (const id of ids) {
    const proven = await proveEvent(log, id).catch((error: unknown) => {
      throw new CliFailure(errorMessage(error), ['`tachograph verify` says what else is wrong.']);
    });
    if (proven === null) {
      throw new CliFailure(`The ordered log has no event ${printable(id)}.`, [
        'The id of an event is `id` in cloudevents, `event.id` in ecs and `metadata.uid` in ocsf.',
      ]);
    }
    events.push(proven);
  }
  return events;
}

/** The keys of the tenants' own logs, in which the devices' keys stand. */
async function logVkeys({ config }: Settings): Promise<string[]> {
  const notes = await keysNotes(config.dataDir, config.authority);
  const keys = notes.flatMap(({ statement }) => statement.keys);
  return [...new Set(keys.filter(({ type }) => type === SIGNATURE_TYPE.ed25519).map(formatVkey))];
}

/** The files of a bundle, by name. Pure. */
function filesOf(
  events: readonly ProvenEvent[],
  vkeys: ReadonlyMap<string, string>,
  logKeys: readonly string[],
): Map<string, string | Uint8Array> {
  const files = new Map<string, string | Uint8Array>();
  const origins = [...new Set(events.map(({ origin }) => origin))];
  for (const [i, { leaf, proof }] of events.entries()) {
    const name = String(i + 1).padStart(3, '0');
    files.set(`event-${name}.json`, leaf);
    files.set(`event-${name}.tlog-proof`, proof);
  }
  const own = origins.map(
    (origin) =>
      `${vkeys.get(origin) ?? `# ${origin}: its key is one of installation-keys.txt, under another name`}\n`,
  );
  files.set('device-keys.txt', own.join(''));
  files.set('installation-keys.txt', logKeys.map((vkey) => `${vkey}\n`).join(''));
  files.set('README.txt', README);
  const list = [...files].map(([name, content]) => ({
    name,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const entries = events.map(({ id, origin, index }, i) => ({
    id,
    origin,
    index,
    file: `event-${String(i + 1).padStart(3, '0')}.json`,
  }));
  files.set('manifest.json', `${JSON.stringify({ events: entries, files: list }, null, 2)}\n`);
  return files;
}

function write(folder: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  try {
    mkdirSync(folder);
    for (const [name, content] of files) writeFileSync(join(folder, name), content, { flag: 'wx' });
  } catch (error) {
    throw new CliFailure(`${printable(folder)} cannot be written: ${errorMessage(error)}`, [
      'Name one that is not there yet.',
    ]);
  }
}

const README = `What this is

Each event-NNN.json holds the exact bytes of one audit event, as the device recorded it. Each event-NNN.tlog-proof
(https://c2sp.org/tlog-proof) shows that these bytes stand at that index in the log of that device, under a checkpoint that
the device signed. The log only ever grows: a device cannot have recorded it in one way and show it in another.

How to check it, without whoever gave it to you

1. SHA-256 of each file is what manifest.json says.
2. The hash SHA-256(0x00 || bytes of event-NNN.json) is the leaf. From it, the index and the hashes of the proof
   the root of the checkpoint follows (RFC 6962, section 2.1.1).
3. The signature under the checkpoint is by the key in device-keys.txt (https://c2sp.org/signed-note). The device's name in the
   checkpoint's first line is the RFC 7638 thumbprint of that key: no other key fits it.

Tools that do this: golang.org/x/mod/sumdb/note for 3, github.com/transparency-dev/merkle for 2.

What it does not show: that nothing else was recorded, and that what the app recorded is true.
`;
