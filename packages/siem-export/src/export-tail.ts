import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './files/file-system.ts';
import { EXPORT_LIMITS } from './limits.ts';

const LF = 0x0a;

/**
 * The last whole lines of a route's open file, oldest first, at most `linesMax` and at most 1 MiB of them. For a
 * page that shows what is being exported; it is no way to read the feed, since rotated files are not looked at.
 */
export async function readExportTail(
  exportDir: string,
  linesMax: number,
  stem = 'events',
): Promise<string[]> {
  let file;
  try {
    file = await open(join(exportDir, `${stem}.ndjson`), 'r');
  } catch (error) {
    // Nothing has been exported yet, or the file is being rotated at this moment.
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - EXPORT_LIMITS.tailBytesMax);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const tail = buffer.subarray(0, bytesRead);
    // What stands before the first line feed is cut where reading did not begin at the start of the file, and what
    // stands behind the last one is still being written.
    const from = start === 0 ? 0 : tail.indexOf(LF) + 1;
    const to = tail.lastIndexOf(LF);
    const lines = to < from ? [] : tail.subarray(from, to).toString('utf8').split('\n');
    return linesMax > 0 ? lines.slice(-linesMax) : [];
  } finally {
    await file.close();
  }
}
