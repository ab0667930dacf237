import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** The most of a file that is looked at for its last lines. */
const TAIL_BYTES_MAX = 1024 * 1024;
const CURRENT = 'events.ndjson';

/**
 * The last `count` whole lines that the file sink wrote into `folder`, oldest first. After a rotation the newest
 * closed file fills up what the current one has not got yet.
 */
export async function tailOfExport(folder: string, count: number): Promise<string[]> {
  const [newest, before] = await exportFiles(folder);
  const lines = newest === undefined ? [] : await lastLines(join(folder, newest));
  if (lines.length < count && before !== undefined) lines.unshift(...(await lastLines(join(folder, before))));
  return lines.slice(-count);
}

/** Newest first: the current file, then the rotated ones, whose names rise with time. */
async function exportFiles(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch((error: unknown) => {
    // Nothing has been exported yet.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const rotated = names.filter((name) => name !== CURRENT && /^events.*\.ndjson$/.test(name));
  const newest = rotated.toSorted((a, b) => (a < b ? 1 : -1));
  return names.includes(CURRENT) ? [CURRENT, ...newest] : newest;
}

async function lastLines(path: string): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const { text, cut } = await tailText(file);
    // The first piece may be the end of a line, the last one the beginning of the next.
    return text.split('\n').slice(cut ? 1 : 0, -1);
  } finally {
    await file.close();
  }
}

async function tailText(file: FileHandle): Promise<{ text: string; cut: boolean }> {
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES_MAX);
  const bytes = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  return { text: bytes.toString('utf8', 0, bytesRead), cut: from > 0 };
}
