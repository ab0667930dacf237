import { keyNames, SIGNATURE_TYPE, type Authority, type NoteSigner, type Parsed } from '@tachograph/wire';
import { readFileIfThere } from './files.ts';
import { LAYOUT } from './layout.ts';
import { parsePrivateKey } from './private-key.ts';

/**
 * The directive key: the control role's alone. Ingest nodes run without its folder.
 * @returns ERR_CONFIG, with the file concerned
 */
export async function loadDirectiveKey(dataDir: string, authority: Authority): Promise<Parsed<NoteSigner>> {
  const file = LAYOUT.directiveFile(dataDir);
  const text = await readFileIfThere(file);
  if (text === null) {
    const detail = `${file}: missing; the control role needs the directive key ("tachograph keys create")`;
    return { ok: false, fault: { code: 'ERR_CONFIG', detail } };
  }
  const parsed = await parsePrivateKey(text, keyNames(authority).directive, SIGNATURE_TYPE.ed25519);
  if (parsed.ok) return parsed;
  return { ok: false, fault: { ...parsed.fault, detail: `${file}: ${parsed.fault.detail}` } };
}
