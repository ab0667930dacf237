import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isatty } from 'node:tty';

/** Some file systems tell nobody of a change, and nothing tells of a new tenant. */
const POLL_MS = 2_000;
/** An editor writes a file in several steps. */
const SETTLE_MS = 100;

/**
 * Calls `look` when the file may have changed: by the system's notice, on SIGHUP, and every two seconds in any case.
 * @returns what ends it
 */
export function watchRoutes(file: string, look: () => void): () => void {
  const poll = setInterval(look, POLL_MS);
  let settling: NodeJS.Timeout | undefined;
  const watcher = watchFolder(file, () => {
    clearTimeout(settling);
    settling = setTimeout(look, SETTLE_MS);
  });
  // In a terminal SIGHUP means that the window was closed, and ends the process as it always did.
  const listens = !isatty(0);
  if (listens) process.on('SIGHUP', look);
  return () => {
    clearInterval(poll);
    clearTimeout(settling);
    watcher?.close();
    if (listens) process.off('SIGHUP', look);
  };
}

/** The folder, not the file: editors put a new file in the place of the old one. */
function watchFolder(file: string, changed: () => void): FSWatcher | null {
  const name = basename(file);
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_, of) => {
      if (of === null || of === name) changed();
    });
    // Such as a folder that is removed: the poll goes on.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    // The system has no more watches, or the folder is not there yet: the poll finds what changes.
    return null;
  }
}
