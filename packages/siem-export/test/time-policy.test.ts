import { describe, expect, it } from '@jest/globals';
import { timeBy, timePolicy } from '../src/time-policy.ts';

const times = {
  occurred: '2026-11-20T10:00:00.000Z',
  received: '2026-11-22T10:00:00.000Z',
  exported: '2026-11-22T12:00:00.000Z',
};

describe('the time policy of a route', () => {
  it('takes when it occurred, or when it was received', () => {
    expect(timeBy('occurred', times)).toBe(times.occurred);
    expect(timeBy('received', times)).toBe(times.received);
    expect(timeBy('received', { ...times, received: undefined })).toBe(times.exported);
  });

  it.each([
    [50, times.occurred],
    [49.9, times.received],
    [2, times.received],
    // The destination was away for so long that even reception is too old for it.
    [1.9, times.exported],
  ])('takes, of those not older than %d hours, the first: %s', (olderThanHours, expected) => {
    expect(timeBy({ auto: { olderThanHours } }, times)).toBe(expected);
  });

  it.each([
    ['never'],
    [{ auto: {} }],
    [{ auto: { olderThanHours: 0 } }],
    [{ auto: { olderThanHours: 1 }, x: 1 }],
  ])('refuses %j', (value) => {
    expect(timePolicy.safeParse(value).success).toBe(false);
  });
});
