import { describe, expect, it } from '@jest/globals';
import { revocationOf, timeBounds, type SenderClock } from '../../src/core/time-bounds.ts';

const NOW = Date.parse('2026-11-22T10:00:00.000Z');
/** A device whose clock is an hour ahead; its page runs for 100 s. */
const sender: SenderClock = { boot: 'page', monotonicMs: 100_000, wallAt: NOW + 3_600_000, receivedAt: NOW };

describe('the time of a leaf', () => {
  it('of the sender’s boot is measured by the monotonic clock, however wrong the wall clock is', () => {
    const leaf = { boot: 'page', monotonicMs: 70_000, wallAt: NOW + 3_600_000 - 30_000 };
    expect(timeBounds(leaf, NOW, sender, null)).toEqual({
      earliest: null,
      latest: NOW - 30_000,
      best: NOW - 30_000,
      estimate: 'monotonic',
      latenessMs: 30_000,
    });
  });

  it('of the sender’s boot falls back to the wall clock when the two clocks part by more than two seconds', () => {
    // The machine slept for ten minutes, while the monotonic clock stood still.
    const leaf = { boot: 'page', monotonicMs: 70_000, wallAt: NOW + 3_600_000 - 630_000 };
    const bounds = timeBounds(leaf, NOW, sender, null);
    expect(bounds).toMatchObject({ estimate: 'wall', best: NOW - 630_000, latest: NOW - 30_000 });
    const agreeing = { ...leaf, wallAt: NOW + 3_600_000 - 32_000 };
    expect(timeBounds(agreeing, NOW, sender, null).estimate).toBe('monotonic');
    expect(timeBounds({ ...agreeing, wallAt: agreeing.wallAt - 1 }, NOW, sender, null).estimate).toBe('wall');
  });

  it('of another boot is the wall clock, corrected by the measured offset, and no later than reception', () => {
    const leaf = { boot: 'old page', monotonicMs: 1, wallAt: NOW + 3_600_000 - 5_000 };
    expect(timeBounds(leaf, NOW, sender, null)).toMatchObject({
      estimate: 'wall',
      best: NOW - 5_000,
      latest: NOW,
    });
    const future = { ...leaf, wallAt: NOW + 9_000_000 };
    expect(timeBounds(future, NOW, sender, null)).toMatchObject({ best: NOW, latenessMs: 0 });
  });

  it('without any request note is only what the device claims, within its bounds', () => {
    const leaf = { boot: 'page', monotonicMs: 1, wallAt: NOW - 86_400_000 };
    expect(timeBounds(leaf, NOW, null, null)).toMatchObject({
      estimate: 'unbounded',
      best: leaf.wallAt,
      latest: NOW,
    });
    expect(timeBounds(leaf, NOW, null, NOW - 1_000).best).toBe(NOW - 1_000);
  });

  it('after the newest note has no upper bound but reception: a monotonic clock may have stood still', () => {
    const leaf = { boot: 'page', monotonicMs: 130_000, wallAt: NOW + 3_600_000 + 30_000 };
    const later = NOW + 600_000;
    expect(timeBounds(leaf, later, sender, null)).toMatchObject({ latest: later, best: NOW + 30_000 });
  });

  it('is never before 1970, whatever a device claims', () => {
    const liar = { ...sender, monotonicMs: 999_999_999_999_999 };
    const { best, latest } = timeBounds({ boot: 'page', monotonicMs: 0, wallAt: 0 }, NOW, liar, null);
    expect([best, latest]).toEqual([0, 0]);
  });

  it('stands before, after or on both sides of a revocation by its bounds alone', () => {
    const at = (earliest: number | null, latest: number) =>
      revocationOf({ earliest, latest, best: latest, estimate: 'wall', latenessMs: 0 }, NOW);
    expect(at(null, NOW - 1)).toBe('before');
    expect(at(null, NOW)).toBe('straddles');
    expect(at(NOW - 1, NOW + 5)).toBe('straddles');
    expect(at(NOW, NOW + 5)).toBe('after');
  });
});
