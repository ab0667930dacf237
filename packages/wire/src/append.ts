import { utf8, utf8Text, type Bytes } from './bytes.ts';
import { parseCheckpointNote, parseDecimal, type CheckpointNote } from './checkpoint.ts';
import { need, parsing, refuse, type Parsed } from './fault.ts';
import { LIMITS } from './limits.ts';
import { LineBuffer } from './line-buffer.ts';
import { REQUEST_NOTE } from './statements.ts';

/** One append: the leaves from `old` up to the checkpoint's size. Nothing in it is verified yet. */
export type Append = {
  /** The signed `tachograph request/v1` note, where one was sent. */
  readonly requestNote: string | null;
  readonly old: number;
  readonly checkpoint: CheckpointNote;
  /** Exactly `checkpoint.size − old` leaves, without their line feeds. */
  readonly leaves: readonly Bytes[];
};

/** The body of `POST /v1/logs/{tenant}/{device}`. */
export function formatAppend(append: {
  requestNote?: string | null;
  old: number;
  checkpoint: string;
  leaves: readonly Uint8Array[];
}): Bytes {
  const requestNote = append.requestNote ? `${append.requestNote}\n` : '';
  const head = utf8(`${requestNote}old ${append.old}\n\n${append.checkpoint}\n`);
  let length = head.length;
  for (const leaf of append.leaves) length += leaf.length + 1;
  const body = new Uint8Array(length);
  body.set(head);
  let at = head.length;
  for (const leaf of append.leaves) {
    body.set(leaf, at);
    at += leaf.length;
    body[at++] = LF;
  }
  return body;
}

/** Parses a whole body at once; {@link AppendParser} does the same while it arrives. */
export function parseAppend(body: Bytes): Parsed<Append> {
  return parsing(() => {
    const parser = new AppendParser();
    const fault = parser.push(body);
    return need(fault.ok ? parser.end() : fault);
  });
}

const LF = 10;
const HEADER_BYTES_MAX = 32;

type Section = 'start' | 'request' | 'old' | 'blank' | 'checkpoint' | 'leaves';

/**
 * Reads an append sequentially and keeps to every limit while it reads, so that a hostile body costs no more
 * memory than an honest one. Feed it with `push` until that answers a fault or the body ends, then call `end`.
 */
export class AppendParser {
  #section: Section = 'start';
  readonly #line = new LineBuffer();
  #bodyBytes = 0;
  #note = '';
  #noteBytes = 0;
  #inSignatures = false;
  #requestNote: string | null = null;
  #old = 0;
  #checkpoint: CheckpointNote | null = null;
  readonly #leaves: Bytes[] = [];
  #fault: Parsed<never> | null = null;

  /** Takes the next piece of the body, after decompression. The caller may reuse `chunk` afterwards. */
  push(chunk: Bytes): Parsed<void> {
    return this.#parse(() => {
      // What lies within the limit is read first: which fault is found must not depend on the chunks.
      const room = LIMITS.appendBytesMax - this.#bodyBytes;
      this.#bodyBytes += chunk.length;
      this.#read(chunk.subarray(0, room));
      if (chunk.length > room) {
        refuse('ERR_BODY_TOO_LARGE', 'the append is too large', { limit: LIMITS.appendBytesMax });
      }
    });
  }

  /** The append, once the body has ended. */
  end(): Parsed<Append> {
    return this.#parse(() => {
      const checkpoint = this.#checkpoint;
      if (checkpoint === null) return refuse('ERR_APPEND', 'the body ends before its checkpoint does');
      if (this.#line.length > 0) refuse('ERR_APPEND', 'the last line does not end in a line feed');
      const expected = checkpoint.size - this.#old;
      if (this.#leaves.length !== expected) {
        refuse('ERR_LEAF_COUNT', `size − old is ${expected}, the body has ${this.#leaves.length} leaves`, {
          field: 'leaves',
        });
      }
      return { requestNote: this.#requestNote, old: this.#old, checkpoint, leaves: this.#leaves };
    });
  }

  /** Runs one step. A fault is final: whatever is asked afterwards gets it again. */
  #parse<T>(step: () => T): Parsed<T> {
    if (this.#fault !== null) return this.#fault;
    const parsed = parsing(step);
    if (!parsed.ok) this.#fault = parsed;
    return parsed;
  }

  #read(piece: Bytes): void {
    let start = 0;
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, start)) {
      const part = piece.subarray(start, end);
      this.#checkLine(part);
      const line = this.#line.take(part);
      if (this.#section === 'leaves') this.#takeLeaf(line);
      else this.#takeText(line);
      start = end + 1;
    }
    const rest = piece.subarray(start);
    this.#checkLine(rest);
    this.#line.hold(rest);
  }

  /** Refuses a line as soon as it passes its limit, with `part` added and before anything more is held back. */
  #checkLine(part: Bytes): void {
    if (part.length === 0) return;
    const bytes = this.#line.length + part.length;
    switch (this.#section) {
      case 'leaves':
        this.#checkLeafExpected();
        if (bytes > LIMITS.leafBytesMax) {
          refuse('ERR_LEAF_TOO_LARGE', 'a leaf is too large', { limit: LIMITS.leafBytesMax });
        }
        return;
      case 'request':
      case 'checkpoint':
        return this.#checkNoteBytes(bytes);
      default:
        if (bytes > HEADER_BYTES_MAX) {
          refuse('ERR_APPEND', 'an append starts with a request note or with "old <size>"', { field: 'old' });
        }
    }
  }

  #checkLeafExpected(): void {
    if (this.#leaves.length >= this.#checkpoint!.size - this.#old) {
      refuse('ERR_LEAF_COUNT', 'the body goes on after its last leaf', { field: 'leaves' });
    }
  }

  #checkNoteBytes(lineBytes: number): void {
    if (this.#noteBytes + lineBytes > LIMITS.noteBytesMax) {
      refuse('ERR_NOTE_TOO_LARGE', 'a note is too large', { limit: LIMITS.noteBytesMax });
    }
  }

  #takeLeaf(line: Bytes): void {
    this.#checkLeafExpected();
    this.#leaves.push(line.slice());
  }

  #takeText(line: Bytes): void {
    const text = utf8Text(line);
    if (text === null) return refuse('ERR_APPEND', 'the lines before the leaves are UTF-8');
    switch (this.#section) {
      case 'start':
        if (text === REQUEST_NOTE.name) {
          this.#section = 'request';
          return this.#takeNoteLine(text, line.length);
        }
        return this.#takeOld(text);
      case 'old':
        return this.#takeOld(text);
      case 'blank':
        if (text !== '') refuse('ERR_APPEND', 'an empty line follows "old <size>"');
        this.#section = 'checkpoint';
        return;
      default:
        return this.#takeNoteLine(text, line.length);
    }
  }

  #takeOld(text: string): void {
    if (!text.startsWith('old ')) {
      refuse('ERR_APPEND', 'an append starts with a request note or with "old <size>"', { field: 'old' });
    }
    this.#old = need(parseDecimal(text.slice('old '.length), 'old'));
    this.#section = 'blank';
  }

  /** Gathers a note: text, an empty line, signature lines. The empty line behind those ends it. */
  #takeNoteLine(text: string, bytes: number): void {
    this.#checkNoteBytes(bytes + 1);
    this.#noteBytes += bytes + 1;
    if (text === '' && this.#inSignatures) return this.#endNote();
    if (text === '') this.#inSignatures = true;
    this.#note += `${text}\n`;
  }

  #endNote(): void {
    const note = this.#note;
    this.#note = '';
    this.#noteBytes = 0;
    this.#inSignatures = false;
    if (this.#section === 'request') {
      this.#requestNote = note;
      this.#section = 'old';
      return;
    }
    const checkpoint = need(parseCheckpointNote(note));
    const count = checkpoint.size - this.#old;
    if (count < 0) refuse('ERR_LEAF_COUNT', 'old is larger than the checkpoint', { field: 'old' });
    if (count > LIMITS.appendLeavesMax) {
      refuse('ERR_TOO_MANY_LEAVES', 'the append has too many leaves', {
        limit: LIMITS.appendLeavesMax,
        field: 'leaves',
      });
    }
    this.#checkpoint = checkpoint;
    this.#section = 'leaves';
  }
}
