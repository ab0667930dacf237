import type { LeaseStatement, Origin } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { accessUnder, startLease, touchLease, type Reading } from '../../src/core/lease.ts';

const HOUR = 3_600_000;
const WALL = Date.parse('2026-11-22T10:00:00Z');
const lease: LeaseStatement = {
  origin: 'audit.example.com/acme/x' as Origin,
  nonce: 'n',
  blockAfterSeconds: 72 * 3600,
  wipeAfterSeconds: 14 * 86_400,
  scopes: ['v_1'],
};
const at = (wall: number, ms: number, boot = 'a'): Reading => ({
  wallMs: WALL + wall,
  monotonicMs: ms,
  boot,
});
const started = startLease(lease, at(0, 1_000));
const access = (reading: Reading, scope = 'v_1') =>
  accessUnder(touchLease(started, reading), scope, reading.wallMs);

describe('a lease', () => {
  it('allows its scopes for its time, counted from when the request was sent', () => {
    expect(access(at(HOUR, HOUR))).toEqual({ allowed: true, until: new Date(WALL + 72 * HOUR) });
    expect(access(at(HOUR, HOUR), 'v_2')).toEqual({ allowed: false, reason: 'scope' });
    expect(access(at(72 * HOUR, HOUR))).toEqual({ allowed: false, reason: 'expired' });
  });
  it('ends by the monotonic clock when the wall clock stands still', () => {
    expect(access(at(0, 1_000 + 72 * HOUR))).toEqual({ allowed: false, reason: 'expired' });
  });
  it('ends by the wall clock when the machine slept', () => {
    expect(access(at(73 * HOUR, 2_000))).toEqual({ allowed: false, reason: 'expired' });
  });
  it('remembers the highest time: setting the clock back does not win time, and beyond five minutes is refused', () => {
    const late = touchLease(started, at(71 * HOUR, 2_000));
    const little = touchLease(late, at(71 * HOUR - 60_000, 3_000));
    expect(accessUnder(little, 'v_1', WALL + 71 * HOUR - 60_000)).toMatchObject({
      allowed: true,
      until: new Date(WALL + 72 * HOUR - 60_000),
    });
    const far = touchLease(late, at(HOUR, 3_000));
    expect(accessUnder(far, 'v_1', WALL + HOUR)).toEqual({ allowed: false, reason: 'clock-stepped' });
    const again = touchLease(far, at(71.5 * HOUR, 4_000));
    expect(accessUnder(again, 'v_1', WALL)).toEqual({ allowed: false, reason: 'clock-stepped' });
    expect(accessUnder(startLease(lease, at(HOUR, 5_000)), 'v_1', WALL + HOUR)).toMatchObject({
      allowed: true,
    });
  });
  it('sums the monotonic time of several pages', () => {
    let row = started;
    for (let i = 1; i <= 72; i++) {
      row = touchLease(row, at(0, 0, `boot-${i}`));
      row = touchLease(row, at(0, HOUR, `boot-${i}`));
    }
    expect(accessUnder(row, 'v_1', WALL)).toEqual({ allowed: false, reason: 'expired' });
  });
  it('without one nothing is allowed', () => {
    expect(accessUnder(null, 'v_1', WALL)).toEqual({ allowed: false, reason: 'no-lease' });
  });
});
