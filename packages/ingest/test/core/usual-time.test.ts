import { describe, expect, it } from '@jest/globals';
import { measured, usualMsMax, type UsualTime } from '../../src/core/usual-time.ts';

function after(...times: number[]): UsualTime {
  return times.reduce<UsualTime | null>(measured, null)!;
}

describe('the usual time', () => {
  it('is three times the first measurement (RFC 6298, section 2.2)', () => {
    expect(usualMsMax(after(10))).toBe(30);
  });

  it('comes close to what never varies', () => {
    const times = Array.from({ length: 50 }, () => 10);
    expect(usualMsMax(after(...times))).toBeCloseTo(10, 3);
  });

  it('follows what has become slow, and forgets one slow time again', () => {
    const usual = Array.from({ length: 20 }, () => 10);
    const slow = Array.from({ length: 20 }, () => 300);
    expect(usualMsMax(after(...usual, ...slow))).toBeGreaterThan(300);
    expect(usualMsMax(after(...usual, 3_000))).toBeGreaterThan(1_000);
    expect(usualMsMax(after(...usual, 3_000, ...usual, ...usual))).toBeLessThan(30);
  });
});
