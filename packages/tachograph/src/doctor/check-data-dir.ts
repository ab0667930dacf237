import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorMessage } from '../error-code.ts';
import { bad, good, note, type Finding } from './check.ts';

const CHECK = 'data folder';
const FREE_BYTES_MIN = 512 * 1024 ** 2;
/** With less than this the next append may fail already. */
const FULL_BYTES = 4 * 1024 ** 2;

/** Whether `dataDir` is there, or can be made, and can be written; looks, and changes nothing. */
export async function checkDataDir(dataDir: string): Promise<Finding> {
  const path = resolve(dataDir);
  const exists = existsSync(path);
  if (exists && !(await stat(path)).isDirectory()) {
    return bad(CHECK, `${path} is no folder`, 'Name a folder with DATA_DIR.');
  }
  // What does not exist yet is made in the nearest folder above it that does.
  let nearest = path;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    if (!statSync(nearest).isDirectory()) throw new Error(`${nearest} is no folder`);
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    return bad(
      CHECK,
      `${path} cannot be written: ${errorMessage(error)}`,
      `Give this user the folder: chown ${process.getuid?.() ?? '<user>'} ${nearest}`,
      'Or name another folder with DATA_DIR.',
    );
  }
  const { bavail, bsize } = await statfs(nearest);
  const freeBytes = bavail * bsize;
  const free = `${Math.floor(freeBytes / 1024 ** 2)} MiB free`;
  if (freeBytes < FREE_BYTES_MIN) {
    const state = freeBytes < FULL_BYTES ? bad : note;
    return state(
      CHECK,
      `${path} has only ${free}`,
      'Make room: when the disk is full, devices are told to wait.',
    );
  }
  return good(
    CHECK,
    exists ? `${path} can be written, ${free}` : `${path} will be made at the first start, ${free}`,
  );
}
