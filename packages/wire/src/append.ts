import { concatBytes, utf8, utf8Text, type Bytes } from './bytes.ts';
import { parseCheckpointNote, parseDecimal, type CheckpointNote } from './checkpoint.ts';
import { need, parsing, refuse, type Parsed } from './fault.ts';
import { LIMITS } from './limits.ts';
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
  #line: Bytes[] = [];
  #lineBytes = 0;
  #bodyBytes = 0;
  #note = '';
  #noteBytes = 0;
  #inSignatures = false;
  #requestNote: string | null = null;
  #old = 0;
  #checkpoint: CheckpointNote | null = null;
  readonly #leaves: Bytes[] = [];

  /** Takes the next piece of the body, after decompression. */
  push(chunk: Bytes): Parsed<void> {
    return parsing(() => {
      this.#bodyBytes += chunk.length;
      if (this.#bodyBytes > LIMITS.appendBytesMax) {
        refuse('ERR_BODY_TOO_LARGE', 'the append is too large', { limit: LIMITS.appendBytesMax });
      }
      let start = 0;
      for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
        this.#keep(chunk.subarray(start, end));
        this.#takeLine();
        start = end + 1;
      }
      this.#keep(chunk.subarray(start));
    });
  }

  /** The append, once the body has ended. */
  end(): Parsed<Append> {
    return parsing(() => {
      const checkpoint = this.#checkpoint;
      if (checkpoint === null) return refuse('ERR_APPEND', 'the body ends before its checkpoint does');
      if (this.#lineBytes > 0) refuse('ERR_APPEND', 'the last line does not end in a line feed');
      const expected = checkpoint.size - this.#old;
      if (this.#leaves.length !== expected) {
        refuse('ERR_LEAF_COUNT', `size − old is ${expected}, the body has ${this.#leaves.length} leaves`, {
          field: 'leaves',
        });
      }
      return { requestNote: this.#requestNote, old: this.#old, checkpoint, leaves: this.#leaves };
    });
  }

  /** Holds a part of a line back until its line feed comes. */
  #keep(part: Bytes): void {
    if (part.length === 0) return;
    this.#lineBytes += part.length;
    const limit = this.#section === 'leaves' ? LIMITS.leafBytesMax : LIMITS.noteBytesMax;
    if (this.#lineBytes > limit) {
      refuse(this.#section === 'leaves' ? 'ERR_LEAF_TOO_LARGE' : 'ERR_NOTE_TOO_LARGE', 'a line is too long', {
        limit,
      });
    }
    this.#line.push(part);
  }

  #takeLine(): void {
    const line = this.#line.length === 1 ? this.#line[0]! : concatBytes(...this.#line);
    this.#line = [];
    this.#lineBytes = 0;
    if (this.#section === 'leaves') this.#takeLeaf(line);
    else this.#takeText(line);
  }

  #takeLeaf(line: Bytes): void {
    if (this.#leaves.length >= this.#checkpoint!.size - this.#old) {
      refuse('ERR_LEAF_COUNT', 'the body goes on after its last leaf', { field: 'leaves' });
    }
    // The caller may reuse the chunk: a leaf is a copy of its own.
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
        return this.#takeOld(text, line.length);
      case 'old':
        return this.#takeOld(text, line.length);
      case 'blank':
        if (text !== '') refuse('ERR_APPEND', 'an empty line follows "old <size>"');
        this.#section = 'checkpoint';
        return;
      default:
        return this.#takeNoteLine(text, line.length);
    }
  }

  #takeOld(text: string, bytes: number): void {
    if (bytes > HEADER_BYTES_MAX || !text.startsWith('old ')) {
      refuse('ERR_APPEND', 'an append starts with a request note or with "old <size>"', { field: 'old' });
    }
    this.#old = need(parseDecimal(text.slice('old '.length), 'old'));
    this.#section = 'blank';
  }

  /** Gathers a note: text, an empty line, signature lines. The empty line behind those ends it. */
  #takeNoteLine(text: string, bytes: number): void {
    this.#noteBytes += bytes + 1;
    if (this.#noteBytes > LIMITS.noteBytesMax) {
      refuse('ERR_NOTE_TOO_LARGE', 'a note is too large', { limit: LIMITS.noteBytesMax });
    }
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
