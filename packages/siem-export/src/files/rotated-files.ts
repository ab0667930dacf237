import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';

/** A file that was rotated: `<stem>-<generation>.ndjson`. */
export type RotatedFile = { readonly name: string; readonly bytes: number };

/**
 * The files that go so that the rest takes no more than `keepBytesMax`: the oldest, since names sort by age. The
 * newest stays whatever its size: the next commit is still about it, and whoever forwards files may be reading it.
 */
export function surplusOf(files: readonly RotatedFile[], keepBytesMax: number): RotatedFile[] {
  const newestFirst = files.toSorted((a, b) => (a.name < b.name ? 1 : -1));
  let bytes = 0;
  return newestFirst.filter((file, i) => {
    bytes += file.bytes;
    return i > 0 && bytes > keepBytesMax;
  });
}

/** The rotated files of `stem` in `folder`; files of other stems that begin alike are not among them. */
export async function rotatedFiles(files: FileSystem, folder: string, stem: string): Promise<RotatedFile[]> {
  const found: RotatedFile[] = [];
  for (const name of await files.list(folder)) {
    if (!name.startsWith(`${stem}-`) || !ROTATED_END.test(name.slice(stem.length))) continue;
    const entry = await files.look(join(folder, name));
    if (entry !== null) found.push({ name, bytes: entry.bytes });
  }
  return found;
}

const ROTATED_END = /^-[0-9]{8}T[0-9]{9}Z\.ndjson$/;
