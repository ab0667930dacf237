import { basename, join } from 'node:path';
import type { Bytes } from '@tachograph/wire';
import type { Clock, Logger } from '../runtime.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import {
  formatMark,
  generationAfter,
  generationTime,
  isAfter,
  largestMark,
  type FileMark,
} from './file-mark.ts';
import { MarkFile } from './mark-file.ts';
import { rotatedFiles, surplusOf } from './rotated-files.ts';

export type AppendFileOptions = {
  readonly files: FileSystem;
  readonly folder: string;
  /** `<stem>.ndjson` while it grows, `<stem>-<generation>.ndjson` once rotated. */
  readonly stem: string;
  /** Rotated before it grows beyond this, except by what is appended between two commits: that stays in one file. */
  readonly bytesMax: number;
  /** Looked at at the first append after a commit: a file that nothing is added to stays open however old it gets. */
  readonly ageMsMax: number;
  /** Bytes of rotated files that are kept; older ones are removed. */
  readonly keepBytesMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
};

const LF = 0x0a;
const FOREIGN = 'something else moved, cut or wrote the file';

/**
 * A file of lines to which batches are appended so that each survives a power cut once `append` has resolved, and
 * so that a restart can cut what was appended but never committed. One writer, one call at a time.
 */
export class AppendFile {
  readonly #options: AppendFileOptions;
  readonly #committed: MarkFile;
  #generation: string;
  /** Bytes that stand. What lies behind them is from a write that failed or was never committed. */
  #bytes: number;
  /** How much of `#bytes` a commit covers. */
  #committedBytes: number;
  /** `null`: the next append opens it and cuts it to `#bytes`. */
  #file: OpenFile | null = null;
  /** Whether bytes behind `#bytes` can only be ours, so that they may be cut. */
  #ours: boolean;

  private constructor(options: AppendFileOptions, committed: MarkFile, mark: FileMark | null) {
    this.#options = options;
    this.#committed = committed;
    this.#generation = (mark ?? committed.mark)?.generation ?? generationAfter(null, options.clock.now());
    this.#bytes = mark?.bytes ?? 0;
    this.#committedBytes = this.#bytes;
    this.#ours = mark !== null;
  }

  /**
   * Opens the file at the largest of `marks` (from all partitions' commits) and cuts what lies behind it, if that
   * can only be what a kill left. Otherwise the file is set aside, never cut: without a mark it was written by
   * something else, and where a larger mark was committed once, the log was restored from before that.
   */
  static async open(options: AppendFileOptions, marks: readonly string[]): Promise<AppendFile> {
    const { files, folder, stem } = options;
    await files.makeFolder(folder);
    const mark = largestMark(marks, stem);
    const committed = await MarkFile.open(files, folder, stem);
    const file = new AppendFile(options, committed, mark);
    try {
      await file.#start(mark);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** What to commit with the position that everything appended so far belongs to. */
  get mark(): string {
    return formatMark(this.#now);
  }

  /**
   * To be called after each commit of `mark`. Keeps it beside the file, so that a log restored from before that is
   * recognised. Without it the file is never rotated.
   */
  async committed(mark: string): Promise<void> {
    const parsed = largestMark([mark], this.#options.stem);
    if (parsed === null) return;
    if (parsed.generation === this.#generation) this.#committedBytes = parsed.bytes;
    await this.#committed.keep(parsed);
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
    await this.#committed.close();
  }

  get #now(): FileMark {
    return { stem: this.#options.stem, generation: this.#generation, bytes: this.#bytes };
  }

  get #path(): string {
    return join(this.#options.folder, `${this.#options.stem}.ndjson`);
  }

  get #rotatedPath(): string {
    return join(this.#options.folder, `${this.#options.stem}-${this.#generation}.ndjson`);
  }

  #isDue(more: number): boolean {
    if (this.#bytes === 0) return false;
    // A restart cuts the open file only: what it may have to cut must not be in a rotated one.
    if (this.#bytes !== this.#committedBytes) return false;
    const age = this.#options.clock.now() - generationTime(this.#generation);
    return this.#bytes + more > this.#options.bytesMax || age >= this.#options.ageMsMax;
  }

  async #begin(): Promise<void> {
    await this.#takeName();
    this.#bytes = 0;
    this.#committedBytes = 0;
    this.#ours = true;
  }

  /** A later name that is free: a clock that was set back must not let a file replace another. */
  async #takeName(): Promise<void> {
    const { files, clock } = this.#options;
    do this.#generation = generationAfter(this.#generation, clock.now());
    while ((await files.look(this.#rotatedPath)) !== null);
  }

  async #start(mark: FileMark | null): Promise<void> {
    const { files } = this.#options;
    if (mark === null) await this.#takeName();
    const kept = this.#committed.mark;
    const isRotated = mark !== null && (await files.look(this.#rotatedPath)) !== null;
    if (mark !== null && kept !== null && isAfter(kept, mark)) {
      // Later names sort behind those of the life that the log has lost.
      this.#generation = kept.generation;
      await this.#setAside('the log is older than the file');
    } else if (mark !== null && kept === null && (await this.#goesOn(isRotated ? 0 : mark.bytes))) {
      await this.#setAside('nothing says whether the log is older than the file');
    } else {
      await this.#committed.keep(this.#now);
      await this.#committed.sync();
      // The kill came between the rotation and the next commit: nothing in the new file counts yet.
      if (isRotated) await this.#begin();
    }
    await this.#ready();
  }

  async #goesOn(behind: number): Promise<boolean> {
    const found = await this.#options.files.look(this.#path);
    return found !== null && found.bytes > behind;
  }

  async #rotate(): Promise<void> {
    await this.#letGo();
    await this.#options.files.rename(this.#path, this.#rotatedPath);
    await this.#begin();
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
    if (!(await this.#isWhatWeLeft())) await this.#setAside(FOREIGN);
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

  /** Keeps what there is under another name, where it is not ours to cut, and begins a new file. */
  async #setAside(reason: string): Promise<void> {
    const { files, logger, stem } = this.#options;
    await this.#letGo();
    const expectedBytes = this.#bytes;
    const found = await files.look(this.#path);
    await this.#begin();
    const name = found !== null && found.bytes > 0 ? basename(this.#rotatedPath) : null;
    if (name !== null) {
      await files.rename(this.#path, this.#rotatedPath);
      await this.#begin();
    }
    const foundBytes = found?.bytes ?? 0;
    logger.warn({ file: `${stem}.ndjson`, reason, name, expectedBytes, foundBytes }, 'file.set_aside');
  }

  /** A log rotator from outside may have renamed, removed or emptied the file that is still open here. */
  async #noticeReplacement(): Promise<void> {
    if (this.#file === null) return;
    const found = await this.#options.files.look(this.#path);
    if (found?.inode !== this.#file.inode || found.bytes < this.#bytes) await this.#setAside(FOREIGN);
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}
