import { randomBytes } from 'node:crypto';
import {
  formatVkey,
  keyNames,
  noteKey,
  SIGNATURE_TYPE,
  toBase64,
  type Authority,
  type NoteKey,
  type NoteSigner,
  type Parsed,
  type SignatureType,
} from '@tachograph/wire';
import { createPrivateFile, readFileIfThere } from './files.ts';
import { loadDirectiveKeys } from './directive-key.ts';
import { addDirectiveVkey, readDirectiveVkeys } from './directive-vkeys.ts';
import { readKeysNotes, storeKeysNote, type SignedKeys } from './keys-notes.ts';
import { LAYOUT } from './layout.ts';
import { generatePrivateKey } from './private-key.ts';

/**
 * Makes whatever keys `dataDir` lacks: the directive key, then those of ingest, and last the keys note that puts
 * them in force. Keys that are there are never replaced, so it is safe at every start, after a crash, and in two
 * processes at once.
 * @returns ERR_CONFIG where what is there is damaged or belongs to another authority
 */
export async function createKeys(dataDir: string, authority: Authority): Promise<Parsed<SignedKeys>> {
  const ingestDir = LAYOUT.ingestDir(dataDir);
  const names = keyNames(authority);
  const directives = await openOrCreateDirective(dataDir, authority);
  if (!directives.ok) return directives;
  await createPrivateFile(LAYOUT.challengeFile(ingestDir), `${toBase64(randomBytes(32))}\n`);
  const before = await readKeysNotes(ingestDir, authority);
  if (!before.ok || before.value.length > 0) return inForce(before);
  const keys = [
    await createKey(ingestDir, names.cosigner, SIGNATURE_TYPE.cosignature),
    await createKey(ingestDir, names.lease, SIGNATURE_TYPE.ed25519),
    await createKey(ingestDir, names.log, SIGNATURE_TYPE.ed25519),
  ];
  await storeKeysNote(ingestDir, { authority, counter: 1, keys }, directives.value);
  return inForce(await readKeysNotes(ingestDir, authority));
}

async function openOrCreateDirective(
  dataDir: string,
  authority: Authority,
): Promise<Parsed<readonly NoteSigner[]>> {
  const ingestDir = LAYOUT.ingestDir(dataDir);
  // Apps pin this key. Where ingest knows one already, a new one would be refused by every client.
  const isPinned = (await readFileIfThere(LAYOUT.directiveVkeyFile(ingestDir))) !== null;
  if (!isPinned) {
    const { file } = await generatePrivateKey(keyNames(authority).directive, SIGNATURE_TYPE.ed25519);
    await createPrivateFile(LAYOUT.directiveFile(dataDir), file.reveal());
  }
  const loaded = await loadDirectiveKeys(dataDir, authority);
  if (!loaded.ok) return loaded;
  if (!isPinned) await addDirectiveVkey(ingestDir, loaded.value[0]!.key);
  const known = await readDirectiveVkeys(ingestDir, authority);
  if (!known.ok) return known;
  const vkeys = new Set(known.value.map(formatVkey));
  if (loaded.value.every(({ key }) => vkeys.has(formatVkey(key)))) return loaded;
  const detail = `${LAYOUT.directiveDir(dataDir)}: not the directive key that ingest serves`;
  return { ok: false, fault: { code: 'ERR_CONFIG', detail } };
}

/** Makes a key of ingest; it counts for nothing until a keys note names it. */
export async function createKey(ingestDir: string, name: string, type: SignatureType): Promise<NoteKey> {
  const { signer, file } = await generatePrivateKey(name, type);
  // The name of a file is that of the key in the keys note.
  const key = noteKey(name, type, signer.key.publicKey);
  await createPrivateFile(LAYOUT.keyFile(ingestDir, key), file.reveal());
  return key;
}

function inForce(notes: Parsed<readonly SignedKeys[]>): Parsed<SignedKeys> {
  if (!notes.ok) return notes;
  const newest = notes.value.at(-1);
  if (newest !== undefined) return { ok: true, value: newest };
  return { ok: false, fault: { code: 'ERR_CONFIG', detail: 'there is no keys note; create the keys first' } };
}
