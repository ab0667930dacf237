import { join } from 'node:path';
import { toHex, type NoteKey } from '@tachograph/wire';

/** Where keys live. What ingest nodes hold and what the control role holds are folders apart. */
export const LAYOUT = {
  /** Ingest nodes: private keys, the history of keys notes, the directive key's public half. */
  ingestDir: (dataDir: string) => join(dataDir, 'keys'),
  /** The control role alone. */
  directiveDir: (dataDir: string) => join(dataDir, 'directive'),
  directiveFile: (dataDir: string) => join(dataDir, 'directive', 'directive.key'),
  /** Those that came later are named for themselves. */
  nextDirectiveFile: (dataDir: string, key: NoteKey) =>
    join(dataDir, 'directive', `directive-${toHex(key.keyId)}.key`),
  directiveVkeyFile: (ingestDir: string) => join(ingestDir, 'directive.vkey'),
  challengeFile: (ingestDir: string) => join(ingestDir, 'challenge.secret'),
  /** One file a counter, never replaced: of two rotations at once one finds its counter taken. */
  keysNoteFile: (ingestDir: string, counter: number) =>
    join(ingestDir, `keys-${String(counter).padStart(8, '0')}.note`),
  keyFile: (ingestDir: string, key: NoteKey) =>
    join(ingestDir, `${key.name.slice(key.name.lastIndexOf('/') + 1)}-${toHex(key.keyId)}.key`),
} as const;

const KEYS_NOTE_FILE = /^keys-([0-9]{8})\.note$/;

/** The counter in the name of a keys note's file, or `null` for other files. */
export function counterOf(fileName: string): number | null {
  const [, counter] = KEYS_NOTE_FILE.exec(fileName) ?? [];
  return counter === undefined ? null : Number(counter);
}
