import { join } from 'node:path';
import {
  bytesEqual,
  keyNames,
  SIGNATURE_TYPE,
  type Authority,
  type NoteKey,
  type NoteSigner,
  type Parsed,
} from '@tachograph/wire';
import { namesIn, readFileIfThere } from './files.ts';
import { LAYOUT } from './layout.ts';
import { newestKeysNote } from './keys-notes.ts';
import { parsePrivateKey } from './private-key.ts';

/**
 * The directive keys in force, the newest last: those that have signed the newest keys note, two while they are
 * exchanged. They are the control role's alone; ingest nodes run without their folder.
 * @returns ERR_CONFIG, with the file concerned
 */
export async function loadDirectiveKeys(
  dataDir: string,
  authority: Authority,
): Promise<Parsed<readonly NoteSigner[]>> {
  const found = await readPrivateKeys(dataDir, authority);
  if (!found.ok) return found;
  const newest = await newestKeysNote(LAYOUT.ingestDir(dataDir), authority);
  // Without a keys note they are being made for the first time.
  if (newest.ok && newest.value === null) return found;
  if (!newest.ok) return newest;
  const signers = newest.value!.signedBy.flatMap((key) => found.value.filter(isKey(key)));
  if (signers.length === newest.value!.signedBy.length) return { ok: true, value: signers };
  return missing(LAYOUT.directiveDir(dataDir), 'lacks a directive key that is in force');
}

function isKey(key: NoteKey): (signer: NoteSigner) => boolean {
  return (signer) => bytesEqual(signer.key.publicKey, key.publicKey);
}

async function readPrivateKeys(dataDir: string, authority: Authority): Promise<Parsed<NoteSigner[]>> {
  const folder = LAYOUT.directiveDir(dataDir);
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.key')).toSorted();
  if (names.length === 0) {
    const file = LAYOUT.directiveFile(dataDir);
    return missing(file, 'missing; the control role needs the directive key ("tachograph keys create")');
  }
  const signers: NoteSigner[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const text = await readFileIfThere(file);
    const parsed = await parsePrivateKey(text ?? '', keyNames(authority).directive, SIGNATURE_TYPE.ed25519);
    if (!parsed.ok) return missing(file, parsed.fault.detail);
    signers.push(parsed.value);
  }
  return { ok: true, value: signers };
}

function missing(file: string, detail: string): { ok: false; fault: { code: 'ERR_CONFIG'; detail: string } } {
  return { ok: false, fault: { code: 'ERR_CONFIG', detail: `${file}: ${detail}` } };
}
