import { join } from 'node:path';
import type { Bytes } from '@tachograph/wire';
import type { Clock, Logger } from '../runtime.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { formatMark, generationAfter, generationTime, largestMark, type FileMark } from './file-mark.ts';
import { rotatedFiles, surplusOf } from './rotated-files.ts';

export type AppendFileOptions = {
  readonly files: FileSystem;
  readonly folder: string;
  /** `<stem>.ndjson` while it grows, `<stem>-<generation>.ndjson` once rotated. */
  readonly stem: string;
  /** Rotated before it grows beyond this, unless one batch alone is larger. */
  readonly bytesMax: number;
  /** Looked at when something is appended: a file that nothing is added to stays open however old it gets. */
  readonly ageMsMax: number;
  /** Bytes of rotated files that are kept; older ones are removed. */
  readonly keepBytesMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
};

const LF = 0x0a;

/**
 * A file of lines to which batches are appended so that each survives a power cut once `append` has resolved, and
 * so that a restart can cut what was appended but never committed. One writer, one call at a time.
 */
export class AppendFile {
  readonly #options: AppendFileOptions;
  #generation: string;
  /** Bytes that stand. What lies behind them is from a write that failed or was never committed. */
  #bytes: number;
  /** `null`: the next append opens it and cuts it to `#bytes`. */
  #file: OpenFile | null = null;
  /** Whether bytes behind `#bytes` can only be ours, so that they may be cut. */
  #ours: boolean;

  private constructor(options: AppendFileOptions, mark: FileMark | null) {
    this.#options = options;
    this.#generation = mark?.generation ?? generationAfter(null, options.clock.now());
    this.#bytes = mark?.bytes ?? 0;
    this.#ours = mark !== null;
  }

  /**
   * Opens the file at the largest of `marks` (from all partitions' commits) and cuts what lies behind it. Without
   * a mark whatever stands there was written by something else: it is set aside, never cut.
   */
  static async open(options: AppendFileOptions, marks: readonly string[]): Promise<AppendFile> {
    await options.files.makeFolder(options.folder);
    const mark = largestMark(marks, options.stem);
    const file = new AppendFile(options, mark);
    // The kill came between the rotation and the next commit: nothing in the new file counts yet.
    if (mark !== null && (await options.files.look(file.#rotatedPath)) !== null) file.#begin();
    await file.#ready();
    return file;
  }

  /** What to commit with the position that everything appended so far belongs to. */
  get mark(): string {
    return formatMark({ stem: this.#options.stem, generation: this.#generation, bytes: this.#bytes });
  }

  /**
   * Appends `bytes` (whole lines) and resolves when they survive a power cut.
   *
   * @throws where they do not; then none of them counts, and the next call removes what may have been written.
   */
  async append(bytes: Bytes): Promise<void> {
    if (bytes.length === 0) return;
    await this.#noticeReplacement();
    if (this.#isDue(bytes.length)) await this.#rotate();
    const file = await this.#ready();
    try {
      await file.write(bytes, this.#bytes);
      await file.sync();
    } catch (error) {
      // After a failed sync the kernel may call dirty pages clean: only writing them again, afresh, is safe.
      await this.#letGo();
      throw error;
    }
    this.#bytes += bytes.length;
  }

  async close(): Promise<void> {
    await this.#letGo();
  }

  get #path(): string {
    return join(this.#options.folder, `${this.#options.stem}.ndjson`);
  }

  get #rotatedPath(): string {
    return join(this.#options.folder, `${this.#options.stem}-${this.#generation}.ndjson`);
  }

  #isDue(more: number): boolean {
    if (this.#bytes === 0) return false;
    const age = this.#options.clock.now() - generationTime(this.#generation);
    return this.#bytes + more > this.#options.bytesMax || age >= this.#options.ageMsMax;
  }

  #begin(): void {
    this.#generation = generationAfter(this.#generation, this.#options.clock.now());
    this.#bytes = 0;
    this.#ours = true;
  }

  async #rotate(): Promise<void> {
    await this.#letGo();
    await this.#options.files.rename(this.#path, this.#rotatedPath);
    this.#begin();
    await this.#removeSurplus();
  }

  /** A file that cannot be removed is tried again at the next rotation: it must not hold up what is to be written. */
  async #removeSurplus(): Promise<void> {
    const { files, folder, stem, keepBytesMax, logger } = this.#options;
    try {
      for (const { name, bytes } of surplusOf(await rotatedFiles(files, folder, stem), keepBytesMax)) {
        await files.remove(join(folder, name));
        logger.info({ file: name, bytes, keepBytesMax }, 'file.removed');
      }
    } catch (error) {
      logger.warn({ file: `${stem}.ndjson`, err: error }, 'file.removal_failed');
    }
  }

  /** Opens the file where it is not open, and cuts it to what stands. */
  async #ready(): Promise<OpenFile> {
    if (this.#file !== null) return this.#file;
    const { files, folder } = this.#options;
    if (!(await this.#isWhatWeLeft())) await this.#setAside();
    const file = await files.open(this.#path);
    try {
      if ((await file.size()) !== this.#bytes) {
        await file.truncate(this.#bytes);
        await file.sync();
      }
      await files.syncFolder(folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    return file;
  }

  /** Whether the file at the path holds what was committed, and ends a line there. What follows is cut then. */
  async #isWhatWeLeft(): Promise<boolean> {
    const { files } = this.#options;
    const found = await files.look(this.#path);
    if (this.#bytes === 0) return this.#ours || found === null || found.bytes === 0;
    if (found === null || found.bytes < this.#bytes) return false;
    const file = await files.open(this.#path);
    try {
      return (await file.read(this.#bytes - 1, 1))[0] === LF;
    } finally {
      await file.close();
    }
  }

  /** Somebody moved, cut or replaced the file: keep what there is under another name, and begin a new one. */
  async #setAside(): Promise<void> {
    const { files, logger, stem } = this.#options;
    await this.#letGo();
    const expectedBytes = this.#bytes;
    const found = await files.look(this.#path);
    this.#begin();
    if (found !== null && found.bytes > 0) {
      await files.rename(this.#path, this.#rotatedPath);
      this.#begin();
    }
    logger.warn({ file: `${stem}.ndjson`, expectedBytes, foundBytes: found?.bytes ?? 0 }, 'file.set_aside');
  }

  /** A log rotator from outside may have renamed, removed or emptied the file that is still open here. */
  async #noticeReplacement(): Promise<void> {
    if (this.#file === null) return;
    const found = await this.#options.files.look(this.#path);
    if (found?.inode !== this.#file.inode || found.bytes < this.#bytes) await this.#setAside();
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}
