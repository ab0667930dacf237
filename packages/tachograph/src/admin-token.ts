import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from './error-code.ts';

export type StoredToken = {
  readonly token: string;
  /** The file that holds it, or `null` where it came from the environment. */
  readonly file: string | null;
  /** It was made just now: the one time that it is printed. */
  readonly created: boolean;
};

/**
 * The administrator token: `configured`, else the one in `dataDir`, else a new one of 256 random bits, stored
 * readable by its owner only.
 */
export function adminToken(dataDir: string, configured: string | undefined): StoredToken {
  if (configured !== undefined) return { token: configured, file: null, created: false };
  const file = join(dataDir, 'admin-token');
  const stored = read(file);
  if (stored !== null) return { token: stored, file, created: false };
  const token = randomBytes(32).toString('base64url');
  writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  return { token, file, created: true };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
