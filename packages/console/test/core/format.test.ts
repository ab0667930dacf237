import { describe, expect, it } from '@jest/globals';
import {
  formatAge,
  formatBytes,
  formatClock,
  formatCount,
  formatCountdown,
  formatLateness,
  shortId,
} from '../../src/core/format.ts';

describe('formatting', () => {
  it('gives bytes a unit at the powers of 1024', () => {
    expect([0, 1023, 1024, 10_240, 1_048_576].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '10 KiB',
      '1.0 MiB',
    ]);
  });

  it('gives an age in its largest whole unit, and none that is negative', () => {
    expect([-5, 999, 59_999, 60_000, 3_600_000, 86_400_000 * 9].map(formatAge)).toEqual([
      '0 s',
      '0 s',
      '59 s',
      '1 min',
      '1 h',
      '9 d',
    ]);
  });

  it('keeps the sign of a lateness: a device may be ahead', () => {
    expect([12, 2_340, 120_000, -400, -120_000].map(formatLateness)).toEqual([
      '12 ms',
      '2.3 s',
      '2 min',
      '−400 ms',
      '−2 min',
    ]);
  });

  it('shows a dash for what is no time', () => {
    expect(formatClock('yesterday')).toBe('—');
    expect(formatClock(new Date(2026, 10, 23, 4, 5, 6).getTime())).toBe('04:05:06');
  });

  it('counts down to zero and not below, each second to its end', () => {
    expect([120_000, 119_999, 60_001, 7_000, 1, 0, -5].map(formatCountdown)).toEqual([
      '2:00',
      '2:00',
      '1:01',
      '0:07',
      '0:01',
      '0:00',
      '0:00',
    ]);
    expect(formatCountdown(72 * 3_600_000)).toBe('3 d');
  });

  it('groups digits and shortens identifiers', () => {
    expect(formatCount(20_000)).toBe('20,000');
    expect([shortId('abcdefghij', 4), shortId('abcd', 4)]).toEqual(['abcd…', 'abcd']);
  });
});
