import { formatVkey, keyNames, parseVkey, type Authority, type NoteKey, type Parsed } from '@tachograph/wire';
import { createPrivateFile, readFileIfThere, replaceFile } from './files.ts';
import { LAYOUT } from './layout.ts';

/**
 * The public half of every directive key that there has been, the oldest first: all that ingest has of them.
 * @returns ERR_CONFIG, with the file concerned
 */
export async function readDirectiveVkeys(
  ingestDir: string,
  authority: Authority,
): Promise<Parsed<readonly NoteKey[]>> {
  const file = LAYOUT.directiveVkeyFile(ingestDir);
  const { directive } = keyNames(authority);
  const lines = ((await readFileIfThere(file)) ?? '').trim().split('\n');
  const keys: NoteKey[] = [];
  for (const line of lines) {
    const parsed = parseVkey(line);
    if (!parsed.ok || parsed.value.name !== directive)
      return missing(file, `no verifier key of ${directive}`);
    keys.push(parsed.value);
  }
  return { ok: true, value: keys };
}

/** Adds the public half of a directive key to those that ingest knows. */
export async function addDirectiveVkey(ingestDir: string, key: NoteKey): Promise<void> {
  const file = LAYOUT.directiveVkeyFile(ingestDir);
  const line = `${formatVkey(key)}\n`;
  const before = await readFileIfThere(file);
  if (before === null) await createPrivateFile(file, line);
  else if (!before.includes(line)) await replaceFile(file, `${before}${line}`);
}

function missing(file: string, detail: string): { ok: false; fault: { code: 'ERR_CONFIG'; detail: string } } {
  return { ok: false, fault: { code: 'ERR_CONFIG', detail: `${file}: ${detail}` } };
}
