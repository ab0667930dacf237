import { mkdir, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import type { Bytes } from '@tachograph/wire';

/** The few operations on files that durable appending needs, so that tests can make each of them fail. */
export interface FileSystem {
  makeFolder(path: string): Promise<void>;
  /** Opens for reading and writing; an empty file is made where there is none. */
  open(path: string): Promise<OpenFile>;
  /** What stands at `path`, or `null` where nothing does. */
  look(path: string): Promise<{ readonly bytes: number; readonly inode: number } | null>;
  rename(from: string, to: string): Promise<void>;
  /** The names in a folder. */
  list(path: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
  /** Makes created and renamed entries of the folder survive a power cut. */
  syncFolder(path: string): Promise<void>;
}

export interface OpenFile {
  readonly inode: number;
  /** Writes all of `bytes` from `position` on. */
  write(bytes: Bytes, position: number): Promise<void>;
  read(position: number, length: number): Promise<Bytes>;
  truncate(length: number): Promise<void>;
  /** Resolves when what was written survives a power cut. */
  sync(): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Owner writes, group reads: a forwarder runs as another user of the same group. */
const MODE = 0o640;

/** The file system of this machine. */
export const nodeFiles: FileSystem = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o750 });
  },
  open: async (path) => nodeFile(await openOrMake(path)),
  async look(path) {
    try {
      const { size, ino } = await stat(path);
      return { bytes: size, inode: ino };
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    }
  },
  rename,
  list: (path) => readdir(path),
  remove: unlink,
  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

/** The system's code for an I/O error, such as `ENOSPC`; `EUNKNOWN` where it has none. */
export function errorCode(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    // 'x': whoever made it in between is not overwritten.
    return open(path, 'wx+', MODE);
  }
}

async function nodeFile(handle: FileHandle): Promise<OpenFile> {
  const { ino } = await handle.stat();
  return {
    inode: ino,
    async write(bytes, position) {
      // One write may be short, for example where the disk fills up half-way.
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    },
    async read(position, length) {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
    truncate: (length) => handle.truncate(length),
    // The length of a file is flushed with its data; only times and the like are left out.
    sync: () => handle.datasync(),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}
