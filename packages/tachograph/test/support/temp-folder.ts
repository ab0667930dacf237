import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';

/** A fresh folder, and how to remove it. */
export function tempFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'tachograph-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Makes fresh folders, which are gone after each test. */
export function tempFolders(): () => string {
  const made: ReturnType<typeof tempFolder>[] = [];
  afterEach(() => {
    for (const folder of made.splice(0)) folder.remove();
  });
  return () => {
    const folder = tempFolder();
    made.push(folder);
    return folder.path;
  };
}
