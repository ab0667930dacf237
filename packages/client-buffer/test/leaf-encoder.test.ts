import { utf8, utf8Text } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { leafEncoder } from '../src/leaf-encoder.ts';

describe('the leaf encoder', () => {
  it('writes what TextEncoder does, and no leaf over another', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40_000 }), { maxLength: 30 }), (texts) => {
        const encode = leafEncoder();
        const leaves = texts.map(encode);
        expect(leaves).toEqual(texts.map(utf8));
      }),
      { numRuns: 50 },
    );
  });

  it('starts a new chunk before one is too small, and takes texts that are larger than any', () => {
    const encode = leafEncoder();
    const texts = ['€'.repeat(21_845), 'a', '€'.repeat(21_846), 'b'.repeat(100_000), 'c'];
    const leaves = texts.map(encode);
    expect(leaves.map(utf8Text)).toEqual(texts);
    expect(leaves[0]!.buffer).not.toBe(leaves[1]!.buffer);
    expect(leaves[1]!.buffer).toBe(leaves[4]!.buffer);
  });
});
