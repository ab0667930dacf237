import { randomBytes } from 'node:crypto';
import {
  formatVkey,
  keyNames,
  noteKey,
  parseVkey,
  SIGNATURE_TYPE,
  toBase64,
  type Authority,
  type NoteKey,
  type NoteSigner,
  type Parsed,
  type SignatureType,
} from '@tachograph/wire';
import { createPrivateFile, readFileIfThere } from './files.ts';
import { loadDirectiveKey } from './directive-key.ts';
import { isCosigner, readKeysNotes, storeKeysNote, type SignedKeys } from './keys-notes.ts';
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
  const directive = await openOrCreateDirective(dataDir, authority);
  if (!directive.ok) return directive;
  await createPrivateFile(LAYOUT.directiveVkeyFile(ingestDir), `${formatVkey(directive.value.key)}\n`);
  await createPrivateFile(LAYOUT.challengeFile(ingestDir), `${toBase64(randomBytes(32))}\n`);
  const before = await readKeysNotes(ingestDir, authority, directive.value.key);
  if (!before.ok || before.value.length > 0) return inForce(before);
  const keys = [
    await createKey(ingestDir, names.cosigner, SIGNATURE_TYPE.cosignature),
    await createKey(ingestDir, names.lease, SIGNATURE_TYPE.ed25519),
    await createKey(ingestDir, names.log, SIGNATURE_TYPE.ed25519),
  ];
  await storeKeysNote(ingestDir, { authority, counter: 1, keys }, directive.value);
  return inForce(await readKeysNotes(ingestDir, authority, directive.value.key));
}

/**
 * Begins a rotation: a second cosigner key signs beside the present one, and the keys note says so. Ingest nodes
 * take it up when they start again; {@link endCosignerRotation} comes when every client has had time to check in.
 * @returns ERR_CONFIG, ERR_EXISTS while another rotation is under way
 */
export async function beginCosignerRotation(
  dataDir: string,
  authority: Authority,
): Promise<Parsed<SignedKeys>> {
  return changeCosigners(dataDir, authority, async (cosigners, ingestDir) => {
    if (cosigners.length > 1) return null;
    const key = await createKey(ingestDir, keyNames(authority).cosigner, SIGNATURE_TYPE.cosignature);
    return [...cosigners, key];
  });
}

/**
 * Ends a rotation: only the newer cosigner key signs from now on. Receipts by the older one stay good.
 * @returns ERR_CONFIG, ERR_EXISTS where there is but one key
 */
export async function endCosignerRotation(
  dataDir: string,
  authority: Authority,
): Promise<Parsed<SignedKeys>> {
  return changeCosigners(dataDir, authority, async (cosigners) =>
    cosigners.length < 2 ? null : cosigners.slice(1),
  );
}

async function changeCosigners(
  dataDir: string,
  authority: Authority,
  change: (cosigners: readonly NoteKey[], ingestDir: string) => Promise<readonly NoteKey[] | null>,
): Promise<Parsed<SignedKeys>> {
  const ingestDir = LAYOUT.ingestDir(dataDir);
  const directive = await loadDirectiveKey(dataDir, authority);
  if (!directive.ok) return directive;
  const present = inForce(await readKeysNotes(ingestDir, authority, directive.value.key));
  if (!present.ok) return present;
  const { counter, keys } = present.value.statement;
  const cosigners = await change(keys.filter(isCosigner), ingestDir);
  const others = keys.filter((key) => !isCosigner(key));
  const stored =
    cosigners !== null &&
    (await storeKeysNote(
      ingestDir,
      { authority, counter: counter + 1, keys: [...cosigners, ...others] },
      directive.value,
    ));
  if (!stored) {
    const detail = `the cosigner keys of ${authority} are not in a state for this step (keys note ${counter})`;
    return { ok: false, fault: { code: 'ERR_EXISTS', detail } };
  }
  return inForce(await readKeysNotes(ingestDir, authority, directive.value.key));
}

async function openOrCreateDirective(dataDir: string, authority: Authority): Promise<Parsed<NoteSigner>> {
  const file = LAYOUT.directiveFile(dataDir);
  // Apps pin this key. Where ingest knows one already, a new one would be refused by every client.
  const pinned = await readFileIfThere(LAYOUT.directiveVkeyFile(LAYOUT.ingestDir(dataDir)));
  if (pinned === null) {
    const { file: content } = await generatePrivateKey(keyNames(authority).directive, SIGNATURE_TYPE.ed25519);
    await createPrivateFile(file, content.reveal());
  }
  const loaded = await loadDirectiveKey(dataDir, authority);
  if (!loaded.ok || pinned === null) return loaded;
  const vkey = parseVkey(pinned.trim());
  if (vkey.ok && formatVkey(vkey.value) === formatVkey(loaded.value.key)) return loaded;
  return {
    ok: false,
    fault: { code: 'ERR_CONFIG', detail: `${file}: not the directive key that ingest serves` },
  };
}

async function createKey(ingestDir: string, name: string, type: SignatureType): Promise<NoteKey> {
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
