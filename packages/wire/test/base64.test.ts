import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../src/index.ts';

const codecs = [
  { name: 'base64', encode: toBase64, decode: fromBase64, node: 'base64' },
  { name: 'base64url', encode: toBase64Url, decode: fromBase64Url, node: 'base64url' },
] as const;

describe.each(codecs)('$name', ({ encode, decode, node }) => {
  it('writes what Node writes and reads it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encode(bytes);
        expect(text).toBe(Buffer.from(bytes).toString(node));
        expect(decode(text)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it('accepts exactly one spelling of every value: what it reads, it writes the same way', () => {
    const alphabet = fc.constantFrom(...'ABQgwxyz019+/-_= \n\u00e9'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 9 }), (text) => {
        const bytes = decode(text);
        if (bytes !== null) expect(encode(bytes)).toBe(text);
      }),
      { numRuns: 20_000 },
    );
  });

  it('reads every canonical text of up to two bytes, and no other spelling of it', () => {
    for (let first = 0; first < 256; first++) {
      expect(decode(encode(Uint8Array.of(first)))).toEqual(Uint8Array.of(first));
      expect(decode(encode(Uint8Array.of(first, 255 - first)))).toEqual(Uint8Array.of(first, 255 - first));
    }
  });
});

describe('base64', () => {
  it.each([
    ['trailing bits in the last of two', 'AB=='],
    ['trailing bits in the last of three', 'AAB='],
    ['no padding', 'AA'],
    ['too little padding', 'AA='],
    ['too much padding', 'AAA=='],
    ['padding where none belongs', 'AAAA===='],
    ['padding only', '===='],
    ['padding inside', 'AA==AAAA'],
    ['a single character', 'A==='],
    ['the URL alphabet', '_-_-'],
    ['a line feed', 'AAAA\n'],
    ['a carriage return', 'AAAA\r\n'],
    ['a space in front', ' AAAA'],
    ['a character beyond ASCII', 'AAA\u0100'],
    ['a character whose low byte is in the alphabet', 'AAA\u0141'],
    ['NUL', 'AAA\u0000'],
  ])('refuses %s', (_, text) => {
    expect(fromBase64(text)).toBeNull();
  });
});

describe('base64url', () => {
  it.each([
    ['padding', 'AA=='],
    ['trailing bits in the last of two', 'AB'],
    ['trailing bits in the last of three', 'AAB'],
    ['a single character', 'A'],
    ['the standard alphabet', '+/+/'],
  ])('refuses %s', (_, text) => {
    expect(fromBase64Url(text)).toBeNull();
  });
});
