import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { appendLeaves, EMPTY_RANGE, leafHash, toBase64, utf8 } from '@tachograph/wire';
import { formatEdge, parseEdge } from '../src/index.ts';

describe('the edge header', () => {
  it('gives back every range', () => {
    fc.assert(
      fc.property(fc.nat(300), (size) => {
        const leaves = Array.from({ length: size }, (_, i) => leafHash(utf8(`${i}`)));
        const range = appendLeaves(EMPTY_RANGE, leaves);
        expect(parseEdge(formatEdge(range))).toEqual(range);
      }),
    );
  });

  it('is the size as eight bytes, most significant first, and the hashes', () => {
    expect(formatEdge(EMPTY_RANGE)).toBe('AAAAAAAAAAA=');
    const hash = new Uint8Array(32).fill(7);
    const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0, ...hash);
    expect(parseEdge(toBase64(bytes))).toEqual({ size: 256, hashes: [hash] });
  });

  it.each([
    ['nothing', ''],
    ['no base64', '****'],
    ['a short size', toBase64(new Uint8Array(7))],
    ['half a hash', toBase64(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, ...new Uint8Array(16)))],
    ['a hash too few', toBase64(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3, ...new Uint8Array(32)))],
    ['a hash too many', toBase64(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(32)))],
    ['a size beyond 2^53', toBase64(Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(8 * 32)))],
  ])('is refused where it holds %s', (_what, text) => {
    expect(parseEdge(text)).toBeNull();
  });
});
