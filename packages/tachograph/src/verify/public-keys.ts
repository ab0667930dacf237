import { readFile } from 'node:fs/promises';
import { keyNames, parseVkey, SIGNATURE_TYPE, type Authority, type NoteKey } from '@tachograph/wire';
import { CliFailure } from '../cli-failure.ts';
import { errorMessage } from '../error-code.ts';
import { keysNotes } from '../serve/keys.ts';

const VKEY = /[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{40,}/g;

/** The public keys that a feed is checked with. */
export type PublicKeys = {
  /** Those of the tenants' own logs. */
  readonly logs: readonly NoteKey[];
  /** Those of ingest's receipts. */
  readonly cosigners: readonly NoteKey[];
};

/**
 * Every public key that `file` names, whatever stands around them (a keys note, or what `tachograph keys show` prints);
 * without a file those of this installation, past ones included.
 */
export async function publicKeys(
  file: string | undefined,
  installation: { readonly dataDir: string; readonly authority: Authority },
): Promise<PublicKeys> {
  const keys =
    file === undefined
      ? (await keysNotes(installation.dataDir, installation.authority)).flatMap(
          ({ statement }) => statement.keys,
        )
      : await keysIn(file);
  return {
    logs: keys.filter(({ name, type }) => type === SIGNATURE_TYPE.ed25519 && isLogKey(name)),
    cosigners: keys.filter(({ type }) => type === SIGNATURE_TYPE.cosignature),
  };
}

async function keysIn(file: string): Promise<NoteKey[]> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${errorMessage(error)}`, [], { cause: error });
  }
  const keys = [...text.matchAll(VKEY)].flatMap(([vkey]) => {
    const parsed = parseVkey(vkey);
    return parsed.ok ? [parsed.value] : [];
  });
  if (keys.length > 0) return keys;
  throw new CliFailure(`${file} names no public key.`, [
    'Write `tachograph keys show` of the installation into it, or the keys note that /v1/keys answers.',
  ]);
}

/** A key's name is `<authority>/log`, whatever the authority. */
function isLogKey(name: string): boolean {
  const [authority] = name.split('/');
  return authority !== undefined && name === keyNames(authority as Authority).log;
}
