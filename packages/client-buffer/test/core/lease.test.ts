import type { DeviceId, LeaseStatement, Origin } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { elapsedMs, isSameLook, startLease, touchLease, type Reading } from '../../src/core/lease.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WALL = Date.parse('2026-11-22T10:00:00Z');
const statement: LeaseStatement = {
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
const started = startLease(statement, 'x' as DeviceId, at(0, 1_000));
/** Milliseconds of the lease that are gone after a series of looks. */
const gone = (...looks: Reading[]) => {
  const lease = looks.reduce(touchLease, started);
  return elapsedMs(lease, looks.at(-1)!.wallMs);
};

describe('the time that a lease has run', () => {
  it.each([
    ['both clocks agree', [at(HOUR, 1_000 + HOUR)], HOUR],
    ['the machine slept: the monotonic clock stood still', [at(HOUR, 2_000)], HOUR],
    ['the wall clock stands still', [at(0, 1_000 + HOUR)], HOUR],
    ['the wall clock was set ahead, and is believed', [at(9 * HOUR, 2_000)], 9 * HOUR],
    ['set ahead and back again: the highest counts', [at(9 * HOUR, 2_000), at(0, 3_000)], 9 * HOUR],
    [
      'set back: the monotonic clock goes on',
      [at(HOUR, HOUR + 1_000), at(-HOUR, 2 * HOUR + 1_000)],
      2 * HOUR,
    ],
    ['set back before the lease itself', [at(-HOUR, 1_000)], 0],
    ['a new page begins at zero', [at(HOUR, 5, 'b')], HOUR],
    [
      'a page that was opened later adds what it counts',
      [at(0, 5, 'b'), at(0, 5 + HOUR, 'b'), at(0, 7, 'c'), at(0, 7 + HOUR, 'c')],
      2 * HOUR,
    ],
    [
      'pages side by side count the same time once',
      [at(0, 0, 'b'), at(0, HOUR, 'b'), at(0, 1_000 + HOUR), at(0, 2 * HOUR, 'b'), at(0, 1_000 + 2 * HOUR)],
      2 * HOUR,
    ],
    [
      'two pages that look in turns, while the wall clock is held',
      Array.from({ length: 60 }, (_, i) => at(0, 1_000 + i * MINUTE, i % 2 === 0 ? 'a' : 'b')),
      58 * MINUTE,
    ],
    ['a monotonic clock that goes back adds nothing', [at(0, 500)], 0],
  ])('%s', (_, looks, expected) => {
    expect(gone(...looks)).toBe(expected);
  });

  it('remembers so many pages, and counts on with what it knows when it has forgotten one', () => {
    let lease = started;
    for (let i = 0; i < 100; i++) {
      lease = touchLease(lease, at(0, 0, `boot-${i}`));
      lease = touchLease(lease, at(0, HOUR, `boot-${i}`));
    }
    expect(lease.pages).toHaveLength(64);
    expect(lease.countedMs).toBe(100 * HOUR);
    const forgotten = touchLease(lease, at(0, 9 * HOUR, 'boot-0'));
    expect(forgotten.countedMs).toBe(100 * HOUR);
    expect(touchLease(forgotten, at(0, 10 * HOUR, 'boot-0')).countedMs).toBe(101 * HOUR);
  });
});

describe('many pages that look in turns, while the wall clock is held', () => {
  it.each([2, 15, 16, 17, 18, 40, 63, 64])('%i of them: no time is lost after the first round', (count) => {
    const turns = 50 * count;
    const looks = Array.from({ length: turns }, (_, i) => at(0, 1_000 + i * MINUTE, `p${i % count}`));
    expect(gone(...looks)).toBeGreaterThanOrEqual((turns - 2 * count) * MINUTE);
  });

  it('of which all but the youngest are closed: these go on', () => {
    let lease = started;
    let ms = 1_000;
    const look = (boot: number) => {
      ms += MINUTE;
      lease = touchLease(lease, at(0, ms, `p${boot}`));
    };
    for (let i = 0; i < 400; i++) look(i % 80);
    const then = lease.countedMs;
    for (let i = 0; i < 100; i++) look(78 + (i % 2));
    expect(lease.countedMs - then).toBeGreaterThanOrEqual(97 * MINUTE);
  });

  it('more than are remembered: the limit', () => {
    const looks = Array.from({ length: 650 }, (_, i) => at(0, 1_000 + i * MINUTE, `p${i % 65}`));
    expect(gone(...looks)).toBe(0);
  });
});

describe('a clock that is set back', () => {
  it.each([
    ['by five minutes', 5 * MINUTE, false],
    ['by more', 5 * MINUTE + 1, true],
    ['by a year', 8760 * HOUR, true],
  ])('%s', (_, back, stepped) => {
    const late = touchLease(started, at(HOUR, 2_000));
    expect(touchLease(late, at(HOUR - back, 3_000)).stepped).toBe(stepped);
  });
  it('is found in another page, too, and stays found when the clock is right again', () => {
    const late = touchLease(started, at(HOUR, 2_000));
    const back = touchLease(late, at(0, 0, 'b'));
    expect(back.stepped).toBe(true);
    expect(touchLease(back, at(2 * HOUR, 1_000, 'b')).stepped).toBe(true);
  });
  it('little by little is found as well, since the highest time is what it is measured against', () => {
    let lease = touchLease(started, at(HOUR, 2_000));
    for (let back = MINUTE; back <= 5 * MINUTE; back += MINUTE)
      lease = touchLease(lease, at(HOUR - back, 3_000));
    expect(lease.stepped).toBe(false);
    expect(touchLease(lease, at(HOUR - 6 * MINUTE, 3_000)).stepped).toBe(true);
  });
  it('is forgotten by the next lease, which also forgets a time that was too high', () => {
    const ahead = touchLease(touchLease(started, at(9_999 * HOUR, 2_000)), at(HOUR, 3_000));
    expect(ahead.stepped).toBe(true);
    const renewed = startLease(statement, 'x' as DeviceId, at(HOUR, 4_000));
    expect(touchLease(renewed, at(HOUR, 4_500))).toMatchObject({ stepped: false, highestWall: WALL + HOUR });
  });
});

describe('a look that need not be written', () => {
  const seen = touchLease(started, at(HOUR, HOUR));
  it.each([
    ['less than a second on', at(HOUR + 900, HOUR + 900), true],
    ['a second on', at(HOUR + 1_000, HOUR), false],
    ['a second on by the monotonic clock alone', at(HOUR, HOUR + 1_000), false],
    ['another page', at(HOUR, 5, 'b'), false],
    ['set back', at(0, HOUR), false],
  ])('%s', (_, reading, same) => {
    expect(isSameLook(seen, touchLease(seen, reading))).toBe(same);
  });
});
