import { fromBase64, toBase64 } from './base64.ts';
import type { Bytes } from './bytes.ts';
import { need, parsing, refuse, type Parsed } from './fault.ts';
import { parseOrigin, type Origin } from './names.ts';
import { parseNote, type Note } from './note.ts';

/** The state of a log: how many leaves, and their root (C2SP tlog-checkpoint v1.0.0, without extension lines). */
export type Checkpoint = { readonly origin: Origin; readonly size: number; readonly root: Bytes };

/** A checkpoint as a signed note, parsed but not verified. `source` is its exact text. */
export type CheckpointNote = Checkpoint & { readonly note: Note; readonly source: string };

/** The three lines that are signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

export function parseCheckpoint(text: string): Parsed<Checkpoint> {
  return parsing(() => {
    const [origin, size, root, end, ...rest] = text.split('\n');
    if (end !== '' || rest.length > 0)
      refuse('ERR_CHECKPOINT', 'a checkpoint is three lines: origin, size, root');
    const hash = fromBase64(root ?? '');
    if (hash === null || hash.length !== 32) {
      return refuse('ERR_CHECKPOINT', 'the root is 32 bytes in canonical base64', { field: 'root' });
    }
    return {
      origin: need(parseOrigin(origin ?? '')).origin,
      size: need(parseDecimal(size ?? '', 'size')),
      root: hash,
    };
  });
}

export function parseCheckpointNote(source: string): Parsed<CheckpointNote> {
  return parsing(() => {
    const note = need(parseNote(source));
    return { ...need(parseCheckpoint(note.text)), note, source };
  });
}

/** An ASCII decimal without leading zeroes, up to 2^53 − 1. */
export function parseDecimal(text: string, field: string): Parsed<number> {
  return parsing(() => {
    const value = Number(text);
    if (!/^(0|[1-9][0-9]{0,15})$/.test(text) || !Number.isSafeInteger(value)) {
      refuse('ERR_NUMBER', `${field} is a decimal number without leading zeroes, below 2^53`, { field });
    }
    return value;
  });
}
