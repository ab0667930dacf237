import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ByteShares, type Share } from '../../src/engine/byte-shares.ts';

describe('the shares of memory', () => {
  it('get smaller the more are taken, and larger again when some are given back', () => {
    const shares = new ByteShares(800, 10);
    const first = shares.take(1_000);
    const second = shares.take(1_000);
    expect([first.bytes, second.bytes]).toEqual([100, 87]);
    expect(shares.take(20).bytes).toBe(20);
    first.giveBack();
    second.keepOnly(7);
    expect(shares.take(1_000).bytes).toBe(Math.floor((800 - 7 - 20) / 8));
  });

  it('never come to more than the total and the least share of each', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 300 }), (steps) => {
        const shares = new ByteShares(10_000, 16);
        const held: Share[] = [];
        let bytes = 0;
        for (const step of steps) {
          if (step === 0 && held.length > 0) {
            const share = held.pop()!;
            bytes -= share.bytes;
            share.giveBack();
          } else {
            const share = shares.take(5_000);
            bytes += share.bytes;
            held.push(share);
          }
          expect(bytes).toBeLessThanOrEqual(10_000 + 16 * held.length);
        }
      }),
    );
  });
});
