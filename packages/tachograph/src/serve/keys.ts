import { existsSync } from 'node:fs';
import {
  createKeys,
  LAYOUT,
  loadDirectiveKeys,
  loadIngestKeys,
  readKeysNotes,
  type LoadedKeys,
  type SignedKeys,
} from '@tachograph/ingest';
import { SIGNATURE_TYPE, type Authority, type NoteKey, type NoteSigner, type Parsed } from '@tachograph/wire';
import { CliFailure } from '../cli-failure.ts';

/** Makes the keys that `dataDir` lacks, and answers the keys note in force. */
export async function ensureKeys(dataDir: string, authority: Authority): Promise<SignedKeys> {
  return need(await createKeys(dataDir, authority));
}

/** The keys of an ingest node. */
export async function ingestKeys(dataDir: string, authority: Authority): Promise<LoadedKeys> {
  return need(await loadIngestKeys(dataDir, authority));
}

/** The directive keys in force, which only the control role reads. */
export async function directiveKeys(dataDir: string, authority: Authority): Promise<readonly NoteSigner[]> {
  return need(await loadDirectiveKeys(dataDir, authority));
}

/** Every keys note that there has been, oldest first; private keys are not read. */
export async function keysNotes(dataDir: string, authority: Authority): Promise<readonly SignedKeys[]> {
  const folder = LAYOUT.ingestDir(dataDir);
  if (!existsSync(LAYOUT.directiveVkeyFile(folder))) {
    throw new CliFailure(`There are no keys in ${folder}.`, [
      'Make them with `tachograph keys create`, or start `tachograph serve` once.',
    ]);
  }
  return need(await readKeysNotes(folder, authority));
}

/** The keys whose receipts an exporter believes: every cosigner that a keys note has ever named. */
export async function cosignerKeys(dataDir: string, authority: Authority): Promise<readonly NoteKey[]> {
  const notes = await keysNotes(dataDir, authority);
  return notes.flatMap(({ statement }) =>
    statement.keys.filter((key) => key.type === SIGNATURE_TYPE.cosignature),
  );
}

/** The value of an answer; its fault as a failure that a person can read. */
export function need<T>(result: Parsed<T>): T {
  if (result.ok) return result.value;
  throw new CliFailure(`${result.fault.detail} (${result.fault.code})`, ['`tachograph doctor` says more.']);
}
