import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nodeFiles } from '../../files/file-system.ts';
import { rotatedFiles } from '../../files/rotated-files.ts';
import type { FeedItem, FeedSource } from '../feed-entry.ts';
import { LINE_BYTES_MAX, readLine } from './read-line.ts';

const READ_BYTES = 1024 * 1024;

/**
 * An exported file and the rotated ones before it, by their names. `deadLetters` are files of the same exporter that
 * have what the format has no place for.
 */
export function fileSource(path: string, deadLetters: readonly string[] = []): FeedSource {
  return {
    name: path,
    isOrdered: true,
    async *items() {
      for (const letters of deadLetters) for (const file of await withRotated(letters)) yield* itemsOf(file);
      for (const file of await withRotated(path)) yield* itemsOf(file);
    },
  };
}

async function withRotated(path: string): Promise<string[]> {
  const folder = dirname(path);
  const rotated = await rotatedFiles(nodeFiles, folder, basename(path, '.ndjson'));
  return [...rotated.map(({ name }) => join(folder, name)).toSorted(), path];
}

/** @throws where the file cannot be read */
async function* itemsOf(path: string): AsyncGenerator<FeedItem[]> {
  const name = basename(path);
  const file = await open(path, 'r');
  try {
    const decoder = new TextDecoder();
    const buffer = Buffer.alloc(READ_BYTES);
    let [rest, number, isSkipping] = ['', 0, false];
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
      const text = rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: bytesRead > 0 });
      const lines = text.split('\n');
      rest = bytesRead > 0 ? lines.pop()! : '';
      const items: FeedItem[] = [];
      for (const line of lines) {
        number++;
        // The end of a line whose beginning was told as too long.
        if (isSkipping) isSkipping = false;
        else if (line !== '') items.push(readLine(line, `${name}:${number}`));
      }
      if (rest.length > LINE_BYTES_MAX) {
        if (!isSkipping)
          items.push({ kind: 'unreadable', reason: 'it is too long', place: `${name}:${number + 1}` });
        [rest, isSkipping] = ['', true];
      }
      yield items;
      if (bytesRead === 0) return;
    }
  } finally {
    await file.close();
  }
}
