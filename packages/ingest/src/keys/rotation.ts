import {
  keyNames,
  SIGNATURE_TYPE,
  type Authority,
  type KeysStatement,
  type NoteKey,
  type NoteSigner,
  type Parsed,
} from '@tachograph/wire';
import { createKey } from './create-keys.ts';
import { loadDirectiveKeys } from './directive-key.ts';
import { addDirectiveVkey } from './directive-vkeys.ts';
import { createPrivateFile } from './files.ts';
import { newestKeysNote, storeKeysNote, type SignedKeys } from './keys-notes.ts';
import { LAYOUT } from './layout.ts';
import { generatePrivateKey } from './private-key.ts';

export const ROTATING_KEYS = ['cosigner', 'lease', 'log', 'directive'] as const;
export type RotatingKey = (typeof ROTATING_KEYS)[number];

/**
 * Begins a rotation: a second key of this kind joins the present one in the keys note. Nodes take it up when they
 * start again. From then on cosigners and directive keys both sign, leases and the tenants' own logs are signed by
 * the newer key. Of two directive keys the keys note names the newer one, and clients trust that one alone from then
 * on: the older one vouches for the newer, and never the newer for the older, which may have been stolen. {@link endRotation} comes when every client has had time to check in.
 * @returns ERR_CONFIG, ERR_EXISTS while a rotation of this kind is under way
 */
export function beginRotation(
  dataDir: string,
  authority: Authority,
  kind: RotatingKey,
): Promise<Parsed<SignedKeys>> {
  return change(dataDir, authority, kind, async ({ keys, directives }) => {
    if (kind === 'directive') {
      if (directives.length > 1) return null;
      const next = await createDirectiveKey(dataDir, authority);
      return { keys, directives: [...directives, next] };
    }
    const [same, others] = sortOut(keys, keyNames(authority)[kind]);
    if (same.length > 1) return null;
    const key = await createKey(LAYOUT.ingestDir(dataDir), keyNames(authority)[kind], typeOf(kind));
    return { keys: [...same, key, ...others], directives };
  });
}

/**
 * Ends a rotation: only the newer key is in force. What the older one has signed stays good where ingest itself
 * looks at it (receipts, the tenants' own logs).
 * @returns ERR_CONFIG, ERR_EXISTS where there is but one key
 */
export function endRotation(
  dataDir: string,
  authority: Authority,
  kind: RotatingKey,
): Promise<Parsed<SignedKeys>> {
  return change(dataDir, authority, kind, async ({ keys, directives }) => {
    if (kind === 'directive') {
      return directives.length < 2 ? null : { keys, directives: directives.slice(1) };
    }
    const [same, others] = sortOut(keys, keyNames(authority)[kind]);
    return same.length < 2 ? null : { keys: [...same.slice(1), ...others], directives };
  });
}

type Present = Pick<KeysStatement, 'keys'> & { readonly directives: readonly NoteSigner[] };

async function change(
  dataDir: string,
  authority: Authority,
  kind: RotatingKey,
  step: (present: Present) => Promise<Present | null>,
): Promise<Parsed<SignedKeys>> {
  const ingestDir = LAYOUT.ingestDir(dataDir);
  const directives = await loadDirectiveKeys(dataDir, authority);
  if (!directives.ok) return directives;
  const present = await newestKeysNote(ingestDir, authority);
  if (!present.ok) return present;
  if (present.value === null) {
    const detail = 'there is no keys note; create the keys first';
    return { ok: false, fault: { code: 'ERR_CONFIG', detail } };
  }
  const { counter, keys } = present.value.statement;
  const [, ofNodes] = sortOut(keys, keyNames(authority).directive);
  const next = await step({ keys: ofNodes, directives: directives.value });
  if (
    next === null ||
    !(await storeKeysNote(
      ingestDir,
      { authority, counter: counter + 1, keys: listed(next) },
      next.directives,
    ))
  ) {
    const detail = `the ${kind} keys of ${authority} are not in a state for this step (keys note ${counter})`;
    return { ok: false, fault: { code: 'ERR_EXISTS', detail } };
  }
  const stored = await newestKeysNote(ingestDir, authority);
  return stored.ok ? { ok: true, value: stored.value! } : stored;
}

/** What the keys note names: of directive keys the one that takes over, while there are two. */
function listed({ keys, directives }: Present): readonly NoteKey[] {
  const next = directives.slice(1).at(-1);
  return next === undefined ? keys : [...keys, next.key];
}

async function createDirectiveKey(dataDir: string, authority: Authority): Promise<NoteSigner> {
  const { signer, file } = await generatePrivateKey(keyNames(authority).directive, SIGNATURE_TYPE.ed25519);
  await createPrivateFile(LAYOUT.nextDirectiveFile(dataDir, signer.key), file.reveal());
  await addDirectiveVkey(LAYOUT.ingestDir(dataDir), signer.key);
  return signer;
}

function sortOut(keys: readonly NoteKey[], name: string): [NoteKey[], NoteKey[]] {
  return [keys.filter((key) => key.name === name), keys.filter((key) => key.name !== name)];
}

function typeOf(kind: Exclude<RotatingKey, 'directive'>) {
  return kind === 'cosigner' ? SIGNATURE_TYPE.cosignature : SIGNATURE_TYPE.ed25519;
}
