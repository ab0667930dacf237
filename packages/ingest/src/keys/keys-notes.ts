import { readFile } from 'node:fs/promises';
import {
  KEYS_NOTE,
  openStatement,
  SIGNATURE_TYPE,
  signStatement,
  type Authority,
  type KeysStatement,
  type NoteKey,
  type NoteSigner,
  type Parsed,
} from '@tachograph/wire';
import { createPrivateFile, namesIn } from './files.ts';
import { counterOf, LAYOUT } from './layout.ts';

/** One keys note, verified. */
export type SignedKeys = { readonly source: string; readonly statement: KeysStatement };

/**
 * Every keys note that this deployment has had, oldest first; the last one is in force. A file of a key that no
 * note names was left by a step that did not end, and counts for nothing.
 * @returns ERR_CONFIG where one is damaged, or was signed by another key or for another authority
 */
export async function readKeysNotes(
  ingestDir: string,
  authority: Authority,
  directive: NoteKey,
): Promise<Parsed<readonly SignedKeys[]>> {
  const counters = await readCounters(ingestDir);
  const notes: SignedKeys[] = [];
  for (const counter of counters) {
    const file = LAYOUT.keysNoteFile(ingestDir, counter);
    const source = await readFile(file, 'utf8');
    const opened = await openStatement(KEYS_NOTE, source, [directive]);
    const found = opened.ok ? null : opened.fault.detail;
    if (!opened.ok || opened.value.authority !== authority || opened.value.counter !== counter) {
      const detail = `${file}: ${found ?? `not note ${counter} of ${authority}`}`;
      return { ok: false, fault: { code: 'ERR_CONFIG', detail } };
    }
    notes.push({ source, statement: opened.value });
  }
  return { ok: true, value: notes };
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
  directive: NoteSigner,
): Promise<boolean> {
  const source = await signStatement(KEYS_NOTE, statement, directive);
  return createPrivateFile(LAYOUT.keysNoteFile(ingestDir, statement.counter), source);
}
