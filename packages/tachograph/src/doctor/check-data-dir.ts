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
  const nearest = nearestThere(path);
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
  return good(CHECK, `${path} ${exists ? 'can be written' : 'will be made at the first start'}`);
}

/** Whether there is room below `dataDir`, or where it will be made. */
export async function checkDisk(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(nearestThere(resolve(dataDir)));
  const freeBytes = bavail * bsize;
  const free = `${Math.floor(freeBytes / 1024 ** 2)} MiB free`;
  if (freeBytes >= FREE_BYTES_MIN) return good('disk', free);
  const state = freeBytes < FULL_BYTES ? bad : note;
  return state('disk', `only ${free}`, 'Make room: when the disk is full, devices are told to wait.');
}

/** What does not exist yet is made in the nearest folder above it that does. */
function nearestThere(path: string): string {
  return existsSync(path) ? path : nearestThere(dirname(path));
}
