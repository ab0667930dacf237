import { describe, expect, it } from '@jest/globals';
import { bytesEqual, concatBytes, toHex, utf8, utf8Text } from '../src/index.ts';

describe('UTF-8', () => {
  it('is read back as it was written, a byte order mark included', () => {
    for (const text of ['', 'a\u0000b', '\ufeffa', 'ü€😀', '\u202e']) expect(utf8Text(utf8(text))).toBe(text);
  });

  it.each([
    ['a byte that never occurs', [0xff]],
    ['an overlong form', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a sequence cut short', [0xe2, 0x82]],
    ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s', (_, bytes) => {
    expect(utf8Text(Uint8Array.from(bytes))).toBeNull();
  });
});

describe('bytes', () => {
  it('are equal only with the same length and the same values', () => {
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(bytesEqual(new Uint8Array(), new Uint8Array())).toBe(true);
  });

  it('are joined in order into a new array', () => {
    const part = Uint8Array.of(1, 2);
    const whole = concatBytes(part, new Uint8Array(), Uint8Array.of(3));
    expect(whole).toEqual(Uint8Array.of(1, 2, 3));
    part[0] = 9;
    expect(whole[0]).toBe(1);
  });

  it('are written in hexadecimal with two digits each', () => {
    expect(toHex(Uint8Array.of(0, 10, 255))).toBe('000aff');
  });
});
