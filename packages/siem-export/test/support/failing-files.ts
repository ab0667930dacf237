import { nodeFiles, type FileSystem, type OpenFile } from '../../src/files/file-system.ts';

export type FileOperation = 'remove' | 'open' | 'write' | 'sync' | 'truncate' | 'rename' | 'syncFolder';

/** This machine's files, where the next calls of an operation fail with a code. A failing write writes half. */
export class FailingFiles implements FileSystem {
  readonly #plan = new Map<FileOperation, string[]>();
  readonly syncFolder = (path: string): Promise<void> => {
    this.#fail('syncFolder');
    return nodeFiles.syncFolder(path);
  };

  /** The next `times` calls of `operation` fail with `code`. */
  fail(operation: FileOperation, code: string, times = 1): void {
    this.#plan.set(
      operation,
      Array.from({ length: times }, () => code),
    );
  }

  makeFolder(path: string): Promise<void> {
    return nodeFiles.makeFolder(path);
  }

  look(path: string): ReturnType<FileSystem['look']> {
    return nodeFiles.look(path);
  }

  list(path: string): Promise<readonly string[]> {
    return nodeFiles.list(path);
  }

  async remove(path: string): Promise<void> {
    this.#fail('remove');
    await nodeFiles.remove(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#fail('rename');
    await nodeFiles.rename(from, to);
  }

  async open(path: string): Promise<OpenFile> {
    // What is planned is meant for the file of lines, not for the record of its commits.
    if (path.endsWith('.mark')) return nodeFiles.open(path);
    this.#fail('open');
    const file = await nodeFiles.open(path);
    return {
      ...file,
      write: async (bytes, position) => {
        if (this.#plan.get('write')?.length) {
          await file.write(bytes.subarray(0, Math.floor(bytes.length / 2)), position);
        }
        this.#fail('write');
        await file.write(bytes, position);
      },
      sync: async () => {
        this.#fail('sync');
        await file.sync();
      },
      truncate: async (length) => {
        this.#fail('truncate');
        await file.truncate(length);
      },
    };
  }

  #fail(operation: FileOperation): void {
    const code = this.#plan.get(operation)?.shift();
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${operation}`), { code });
  }
}
