import {
  formatVkey,
  fromBase64,
  keyNames,
  type Authority,
  type NoteKey,
  type NoteSigner,
  type Parsed,
} from '@tachograph/wire';
import type { IngestKeys } from '../context.ts';
import { Secret } from '../secret.ts';
import { readFileIfThere } from './files.ts';
import { readDirectiveVkeys } from './directive-vkeys.ts';
import { handoversOf, isCosigner, readKeysNotes, type SignedKeys } from './keys-notes.ts';
import { LAYOUT } from './layout.ts';
import { parsePrivateKey } from './private-key.ts';

/** The keys of an ingest node, and the secret that its challenges are made with. */
export type LoadedKeys = IngestKeys & { readonly challengeSecret: Secret };

/**
 * Reads the keys that the newest keys note puts in force. Never reads the directive key, only its public half.
 * @returns ERR_CONFIG, with the file concerned
 */
export async function loadIngestKeys(dataDir: string, authority: Authority): Promise<Parsed<LoadedKeys>> {
  const ingestDir = LAYOUT.ingestDir(dataDir);
  const names = keyNames(authority);
  const directives = await readDirectiveVkeys(ingestDir, authority);
  if (!directives.ok) return directives;
  const notes = await readKeysNotes(ingestDir, authority);
  if (!notes.ok) return notes;
  const newest = notes.value.at(-1);
  if (newest === undefined) return missing(ingestDir, 'no keys note');
  const cosigners: NoteSigner[] = [];
  const others = new Map<string, NoteSigner>();
  for (const key of newest.statement.keys) {
    // Of a directive key a node has the public half alone.
    if (key.name === names.directive) continue;
    const signer = await loadSigner(ingestDir, key);
    if (!signer.ok) return signer;
    if (isCosigner(key)) cosigners.push(signer.value);
    // Of two keys of one kind the newer one signs: it stands behind the other.
    else others.set(key.name, signer.value);
  }
  const lease = others.get(names.lease);
  const log = others.get(names.log);
  const secret = fromBase64((await readFileIfThere(LAYOUT.challengeFile(ingestDir)))?.trim() ?? '');
  if (cosigners.length === 0 || lease === undefined || log === undefined)
    return missing(ingestDir, 'the keys note lacks a key of ingest');
  if (secret?.length !== 32) return missing(LAYOUT.challengeFile(ingestDir), 'no secret of 32 bytes');
  const logs = await loadPastLogKeys(ingestDir, names.log, notes.value);
  if (!logs.ok) return logs;
  const past = notes.value.flatMap(({ statement }) => statement.keys.filter(isCosigner));
  return {
    ok: true,
    value: {
      cosigners,
      cosignerKeys: [...new Map(past.map((key) => [formatVkey(key), key])).values()],
      lease,
      log,
      logs: logs.value,
      keysNote: newest.source,
      directiveKey: formatVkey(newest.signedBy.at(-1)!),
      handovers: handoversOf(notes.value, names.directive),
      challengeSecret: new Secret(Buffer.from(secret).toString('base64')),
    },
  };
}

/** Every key that the tenants' own logs have had: a log goes on under its key until it has moved to the next. */
async function loadPastLogKeys(
  ingestDir: string,
  name: string,
  notes: readonly SignedKeys[],
): Promise<Parsed<NoteSigner[]>> {
  const keys = notes.flatMap(({ statement }) => statement.keys.filter((key) => key.name === name));
  const signers: NoteSigner[] = [];
  for (const key of new Map(keys.map((one) => [formatVkey(one), one])).values()) {
    const signer = await loadSigner(ingestDir, key);
    if (!signer.ok) return signer;
    signers.push(signer.value);
  }
  return { ok: true, value: signers };
}

async function loadSigner(ingestDir: string, key: NoteKey): Promise<Parsed<NoteSigner>> {
  const file = LAYOUT.keyFile(ingestDir, key);
  const text = await readFileIfThere(file);
  if (text === null) return missing(file, 'missing, though the keys note names it');
  const signer = await parsePrivateKey(text, key.name, key.type);
  if (!signer.ok) return missing(file, signer.fault.detail);
  if (formatVkey(signer.value.key) !== formatVkey(key))
    return missing(file, 'not the key that it is named for');
  return signer;
}

function missing(file: string, detail: string): { ok: false; fault: { code: 'ERR_CONFIG'; detail: string } } {
  return { ok: false, fault: { code: 'ERR_CONFIG', detail: `${file}: ${detail}` } };
}
