import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Probe } from '../sinks/sink.ts';
import { errorCode } from './file-system.ts';

/** Whether `<stem>.ndjson` could be written in `folder`, which need not be there yet. Makes nothing. */
export async function probeFile(folder: string, stem: string): Promise<Probe> {
  const file = join(folder, `${stem}.ndjson`);
  const code = (await denied(file, constants.W_OK)) ?? 'OK';
  if (code === 'OK') return { ready: true, found: `${file} can be written` };
  if (code !== 'ENOENT') return unwritable(file, code);
  return (await folderProbe(folder)) ?? { ready: true, found: `${file} can be made` };
}

/** What is wrong with the nearest folder that is there. */
async function folderProbe(folder: string): Promise<Probe | null> {
  const code = await denied(folder, constants.W_OK | constants.X_OK);
  if (code === null) return null;
  return code === 'ENOENT' && dirname(folder) !== folder
    ? folderProbe(dirname(folder))
    : unwritable(folder, code);
}

async function denied(path: string, mode: number): Promise<string | null> {
  try {
    await access(path, mode);
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

function unwritable(path: string, code: string): Probe {
  return {
    ready: false,
    found: `${path} cannot be written (${code})`,
    mend: ['Give it to the user of the process that exports: chown and chmod, or mount it for writing.'],
  };
}
