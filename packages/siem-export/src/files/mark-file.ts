import { join } from 'node:path';
import { utf8 } from '@tachograph/wire';
import { formatMark, isAfter, largestMark, type FileMark } from './file-mark.ts';
import type { FileSystem, OpenFile } from './file-system.ts';

const COPY_BYTES = 256;
const SLOT_BYTES = 2 * COPY_BYTES;

/**
 * `<stem>.mark`: the largest mark that is known to be committed, kept beside the file that it is about. A log
 * whose marks end before it is an older log than the one this file was written from.
 *
 * Two slots are written in turn, each holding its mark twice: a kill half-way through one leaves the other whole.
 * It is not fsynced each time. After a power cut it may be behind, and then proves less, but never ahead.
 */
export class MarkFile {
  readonly #file: OpenFile;
  #slot: 0 | 1;
  #mark: FileMark | null;

  private constructor(file: OpenFile, slot: 0 | 1, mark: FileMark | null) {
    this.#file = file;
    this.#slot = slot;
    this.#mark = mark;
  }

  static async open(files: FileSystem, folder: string, stem: string): Promise<MarkFile> {
    const file = await files.open(join(folder, `${stem}.mark`));
    try {
      const [first, second] = [await readSlot(file, 0, stem), await readSlot(file, 1, stem)];
      const isSecond = second !== null && (first === null || isAfter(second, first));
      return new MarkFile(file, isSecond ? 1 : 0, isSecond ? second : first);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** `null` where none was ever kept, or none is readable. */
  get mark(): FileMark | null {
    return this.#mark;
  }

  /** Keeps `mark` where it is larger than the one that is kept. */
  async keep(mark: FileMark): Promise<void> {
    if (this.#mark !== null && !isAfter(mark, this.#mark)) return;
    const slot = this.#slot === 0 ? 1 : 0;
    const copy = `${formatMark(mark).padEnd(COPY_BYTES - 1)}\n`;
    await this.#file.write(utf8(copy + copy), slot * SLOT_BYTES);
    [this.#slot, this.#mark] = [slot, mark];
  }

  /** Resolves when what is kept survives a power cut. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** What a slot holds, or `null` where it was never written, or not to its end. */
async function readSlot(file: OpenFile, slot: 0 | 1, stem: string): Promise<FileMark | null> {
  const text = Buffer.from(await file.read(slot * SLOT_BYTES, SLOT_BYTES)).toString('latin1');
  const copy = text.slice(0, COPY_BYTES);
  if (!copy.endsWith('}\n') && !copy.endsWith(' \n')) return null;
  return copy === text.slice(COPY_BYTES) ? largestMark([copy], stem) : null;
}
