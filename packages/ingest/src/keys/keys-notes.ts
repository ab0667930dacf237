import { readFile } from 'node:fs/promises';
import {
  bytesEqual,
  formatVkey,
  KEYS_NOTE,
  openStatement,
  parseNote,
  SIGNATURE_TYPE,
  signStatement,
  type Authority,
  type KeysStatement,
  type NoteKey,
  type NoteSigner,
  type Parsed,
} from '@tachograph/wire';
import { readDirectiveVkeys } from './directive-vkeys.ts';
import { createPrivateFile, namesIn } from './files.ts';
import { counterOf, LAYOUT } from './layout.ts';

/** One keys note, verified, and the directive keys that have signed it, the newest last. */
export type SignedKeys = {
  readonly source: string;
  readonly statement: KeysStatement;
  readonly signedBy: readonly NoteKey[];
};

/**
 * Every keys note that this deployment has had, oldest first; the last one is in force. A file of a key that no
 * note names was left by a step that did not end, and counts for nothing.
 * @returns ERR_CONFIG where one is damaged, or was signed by another key or for another authority
 */
export async function readKeysNotes(
  ingestDir: string,
  authority: Authority,
): Promise<Parsed<readonly SignedKeys[]>> {
  const counters = await readCounters(ingestDir);
  if (counters.length === 0) return { ok: true, value: [] };
  const directives = await readDirectiveVkeys(ingestDir, authority);
  if (!directives.ok) return directives;
  const notes: SignedKeys[] = [];
  for (const counter of counters) {
    const file = LAYOUT.keysNoteFile(ingestDir, counter);
    const source = await readFile(file, 'utf8');
    const opened = await openStatement(KEYS_NOTE, source, directives.value);
    const found = opened.ok ? null : opened.fault.detail;
    if (!opened.ok || opened.value.authority !== authority || opened.value.counter !== counter) {
      const detail = `${file}: ${found ?? `not note ${counter} of ${authority}`}`;
      return { ok: false, fault: { code: 'ERR_CONFIG', detail } };
    }
    notes.push({ source, statement: opened.value, signedBy: signersOf(source, directives.value) });
  }
  return { ok: true, value: notes };
}

/** The keys note in force; `null` before the first. */
export async function newestKeysNote(
  ingestDir: string,
  authority: Authority,
): Promise<Parsed<SignedKeys | null>> {
  const notes = await readKeysNotes(ingestDir, authority);
  return notes.ok ? { ok: true, value: notes.value.at(-1) ?? null } : notes;
}

/**
 * The notes by which one directive key handed over to the next, oldest first: whoever trusts any of them gets from
 * there to the one in force.
 *
 * @param directive the name of directive keys
 */
export function handoversOf(notes: readonly SignedKeys[], directive: string): readonly string[] {
  const handovers = notes.filter(({ statement }) => statement.keys.some(({ name }) => name === directive));
  // While a rotation lasts each note hands over, and the last one does for all.
  return [...new Map(handovers.map(({ signedBy, source }) => [formatVkey(signedBy[0]!), source])).values()];
}

function signersOf(source: string, keys: readonly NoteKey[]): NoteKey[] {
  const note = parseNote(source);
  if (!note.ok) return [];
  return keys.filter(({ keyId }) =>
    note.value.signatures.some((signature) => bytesEqual(signature.keyId, keyId)),
  );
}

async function readCounters(ingestDir: string): Promise<number[]> {
  const names = await namesIn(ingestDir);
  const counters = names.map(counterOf).filter((counter) => counter !== null);
  return counters.sort((a, b) => a - b);
}

/** A key that cosigns checkpoints. */
export function isCosigner(key: NoteKey): boolean {
  return key.type === SIGNATURE_TYPE.cosignature;
}

/** Signs and stores a keys note; `false` where another process has stored one with this counter first. */
export async function storeKeysNote(
  ingestDir: string,
  statement: KeysStatement,
  directives: readonly NoteSigner[],
): Promise<boolean> {
  const source = await signStatement(KEYS_NOTE, statement, ...directives);
  return createPrivateFile(LAYOUT.keysNoteFile(ingestDir, statement.counter), source);
}
