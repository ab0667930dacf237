import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../error-code.ts';
import { bad, good, type Finding } from './check.ts';

const CHECK = 'secret files';

/** Whether the keys and the administrator token can be read, by their owner and by nobody else. */
export function checkSecretFiles(dataDir: string): Finding {
  const folders = ['keys', 'directive'].map((name) => join(dataDir, name)).filter((path) => existsSync(path));
  const token = join(dataDir, 'admin-token');
  let files: string[];
  try {
    files = [
      ...folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
      ...(existsSync(token) ? [token] : []),
    ];
    for (const file of files) readFileSync(file);
  } catch (error) {
    return bad(
      CHECK,
      errorMessage(error),
      `Give them to this user: chown -R ${process.getuid?.() ?? '<user>'} ${dataDir}`,
    );
  }
  if (files.length === 0) return good(CHECK, 'none yet: they are made at the first start');
  // Windows has no such modes; there the folder's own permissions decide.
  const open =
    process.platform === 'win32' ? [] : files.filter((file) => (statSync(file).mode & 0o077) !== 0);
  if (open.length === 0) return good(CHECK, `${files.length} files, readable by their owner only`);
  return bad(
    CHECK,
    `others can read ${open.join(', ')}`,
    `chmod 600 ${open.join(' ')}`,
    'If somebody may have read them: tachograph keys rotate',
  );
}
