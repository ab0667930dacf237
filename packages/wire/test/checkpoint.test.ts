import { describe, expect, it } from '@jest/globals';
import {
  EMPTY_ROOT,
  formatCheckpoint,
  parseCheckpoint,
  parseCheckpointNote,
  signNote,
  toBase64,
  verifyNote,
} from '../src/index.ts';
import { codeOf, deviceOf, faultOf, valueOf } from './support.ts';

const { origin, key, sign } = await deviceOf(1);
const ROOT = toBase64(EMPTY_ROOT);

describe('a checkpoint', () => {
  it('is three lines and reads back', () => {
    const checkpoint = { origin, size: 2 ** 53 - 1, root: EMPTY_ROOT };
    const text = formatCheckpoint(checkpoint);
    expect(text).toBe(`${origin}\n9007199254740991\n${ROOT}\n`);
    expect(valueOf(parseCheckpoint(text))).toEqual(checkpoint);
  });

  it.each([
    ['no final newline', `${origin}\n4\n${ROOT}`, 'ERR_CHECKPOINT', undefined],
    ['two lines', `${origin}\n4\n`, 'ERR_CHECKPOINT', undefined],
    ['an extension line', `${origin}\n4\n${ROOT}\nextension\n`, 'ERR_CHECKPOINT', undefined],
    ['an empty extension line', `${origin}\n4\n${ROOT}\n\n`, 'ERR_CHECKPOINT', undefined],
    ['a short root', `${origin}\n4\n${toBase64(EMPTY_ROOT.slice(1))}\n`, 'ERR_CHECKPOINT', 'root'],
    ['a long root', `${origin}\n4\n${toBase64(new Uint8Array(33))}\n`, 'ERR_CHECKPOINT', 'root'],
    ['a root without padding', `${origin}\n4\n${ROOT.slice(0, -1)}\n`, 'ERR_CHECKPOINT', 'root'],
    ['a root with trailing bits', `${origin}\n4\n${ROOT.replace(/.=$/, 'V=')}\n`, 'ERR_CHECKPOINT', 'root'],
    ['an origin of two parts', `audit.example.com/acme\n4\n${ROOT}\n`, 'ERR_NAME', 'origin'],
    ['an empty origin', `\n4\n${ROOT}\n`, 'ERR_NAME', 'origin'],
    ['a leading zero', `${origin}\n04\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['a sign', `${origin}\n+4\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['a negative size', `${origin}\n-4\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['an empty size', `${origin}\n\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['a space before the size', `${origin}\n 4\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['a fraction', `${origin}\n4.0\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['an exponent', `${origin}\n1e3\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['hexadecimal', `${origin}\n0x4\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['digits that are not ASCII', `${origin}\n٤\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['a size of 2^53', `${origin}\n9007199254740992\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
    ['a carriage return', `${origin}\n4\r\n${ROOT}\n`, 'ERR_NUMBER', 'size'],
  ])('is refused with %s', (_, text, code, field) => {
    const fault = faultOf(parseCheckpoint(text));
    expect(fault.code).toBe(code);
    expect(fault.field).toBe(field);
  });
});

describe('a checkpoint note', () => {
  it('keeps its exact text and verifies with the key of the device', async () => {
    const source = await signNote(formatCheckpoint({ origin, size: 0, root: EMPTY_ROOT }), { key, sign });
    const note = valueOf(parseCheckpointNote(source));
    expect(note).toMatchObject({ origin, size: 0, root: EMPTY_ROOT, source });
    expect(await verifyNote(note.note, [key])).toBe(true);
  });

  it('is refused where the note is none, and where its text is no checkpoint', async () => {
    expect(codeOf(parseCheckpointNote(formatCheckpoint({ origin, size: 0, root: EMPTY_ROOT })))).toBe(
      'ERR_NOTE',
    );
    expect(codeOf(parseCheckpointNote(await signNote('text\n', { key, sign })))).toBe('ERR_CHECKPOINT');
  });
});
