import { describe, expect, it } from '@jest/globals';
import { shareOf } from '../../src/core/fair-share.ts';

const MAX = 1_000;

/** Lets each of `tenants` take pieces of `piece` bytes in turns, until none is granted any more. */
function fill(tenants: number, piece: number): { readonly own: number[]; readonly held: number } {
  const own = Array.from({ length: tenants }, () => 0);
  let held = 0;
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (let tenant = 0; tenant < tenants; tenant++) {
      if (shareOf(piece, own[tenant]!, held, MAX) !== 'granted') continue;
      own[tenant]! += piece;
      held += piece;
      isMoving = true;
    }
  }
  return { own, held };
}

describe('a fair share', () => {
  it('of one alone is half, and the other half stays for whoever comes', () => {
    expect(fill(1, 10)).toEqual({ own: [500], held: 500 });
  });

  it.each([2, 3, 4, 9])('of %d in turns is equal, with as much left as each has', (tenants) => {
    const { own, held } = fill(tenants, 1);
    const each = MAX / (tenants + 1);
    for (const bytes of own) expect(Math.abs(bytes - each)).toBeLessThanOrEqual(1);
    expect(Math.abs(MAX - held - each)).toBeLessThanOrEqual(tenants + 1);
  });

  it('is never more than there is, also for whoever holds nothing', () => {
    expect(shareOf(MAX, 0, 0, MAX)).toBe('granted');
    expect(shareOf(MAX + 1, 0, 0, MAX)).toBe('full');
    expect(shareOf(1, 0, MAX, MAX)).toBe('full');
    expect(shareOf(1, 0, MAX - 1, MAX)).toBe('granted');
    expect(shareOf(1, 1, MAX - 1, MAX)).toBe('unfair');
  });
});
