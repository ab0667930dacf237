import { existsSync } from 'node:fs';
import { LAYOUT, loadIngestKeys } from '@tachograph/ingest';
import type { Authority } from '@tachograph/wire';
import { bad, good, type Finding } from './check.ts';

const CHECK = 'keys';

/** Whether the keys of ingest are all there, belong together, and are those of `authority`. */
export async function checkKeys(dataDir: string, authority: Authority): Promise<Finding> {
  if (!existsSync(LAYOUT.directiveVkeyFile(LAYOUT.ingestDir(dataDir)))) {
    return good(CHECK, 'none yet: they are made at the first start');
  }
  const loaded = await loadIngestKeys(dataDir, authority);
  if (loaded.ok) return good(CHECK, `those of ${authority}`);
  return bad(
    CHECK,
    `they are not usable for the authority ${authority}: ${loaded.fault.detail}`,
    'If AUTHORITY was changed, set it back: it stands in every log and every key.',
    'Else restore the folders keys and directive from a backup.',
  );
}
