import type { Authority, DeviceId, LeaseStatement, Origin, TenantId } from '@tachograph/wire';
import { originOf } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { EMPTY_CACHE, type CacheRow } from '../../src/core/cache-row.ts';
import { startLease, type Reading } from '../../src/core/lease.ts';
import { accessTo, lookAt, nextChangeMs, purgeStatusOf } from '../../src/core/offline.ts';
import { raiseGate } from '../../src/core/purge.ts';
import { EMPTY_ROWS, newLog, type EnrolmentRow, type Rows } from '../../src/core/rows.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WALL = Date.parse('2026-11-22T10:00:00Z');
const device = 'd' as DeviceId;
const origin: Origin = originOf('audit.example.com' as Authority, 'acme' as TenantId, device);
const statement: LeaseStatement = {
  origin,
  nonce: 'n',
  blockAfterSeconds: 72 * 3600,
  wipeAfterSeconds: 14 * 86_400,
  scopes: ['v_1'],
};
const at = (wall: number, ms = 1_000, boot = 'a'): Reading => ({
  wallMs: WALL + wall,
  monotonicMs: ms,
  boot,
});
const enrolment: EnrolmentRow = { device, status: 'enrolled', challenge: null, succession: null };
const cached: CacheRow = { ...EMPTY_CACHE, hooked: true, keys: ['v_1', 'v_2'] };
const base: Rows = {
  ...EMPTY_ROWS,
  log: newLog({ device, origin, publicKey: new Uint8Array(32) }, WALL),
  enrolment,
  lease: startLease(statement, device, at(0, 1_000)),
  cache: cached,
};

/** What is allowed after a series of looks, and everything that they recorded. */
function after(readings: Reading[], rows: Rows = base, scope = 'v_1') {
  const actions: string[] = [];
  let present = rows;
  for (const reading of readings) {
    const { lease, gate, leaves } = lookAt(present, reading);
    actions.push(...leaves.map(({ action }) => action));
    present = Object.assign(
      {},
      present,
      lease === undefined ? {} : { lease },
      gate === undefined ? {} : { cache: gate.cache },
    );
  }
  const access = accessTo(present, scope, readings.at(-1)!.wallMs);
  return { said: access.allowed ? access.leftMs / HOUR : access.reason, actions, present, access };
}

describe('offline access, by what the clocks went through', () => {
  it.each([
    ['just granted', [at(0)], 72, []],
    ['an hour later', [at(HOUR)], 71, []],
    ['a moment before the end', [at(72 * HOUR - 1)], 1 / HOUR, []],
    ['at the end', [at(72 * HOUR)], 'expired', ['lease.expired']],
    ['slept over the end: the monotonic clock stood', [at(73 * HOUR, 1_001)], 'expired', ['lease.expired']],
    ['with the wall clock held', [at(0, 1_000 + 72 * HOUR)], 'expired', ['lease.expired']],
    [
      'asked again after the end',
      [at(73 * HOUR), at(74 * HOUR), at(80 * HOUR)],
      'expired',
      ['lease.expired'],
    ],
    ['restarted within it', [at(HOUR, 1, 'b')], 71, []],
    ['set back a little', [at(2 * HOUR), at(2 * HOUR - 4 * MINUTE)], 70, []],
    ['set back', [at(2 * HOUR), at(HOUR)], 'clock-stepped', ['clock.stepped']],
    ['set back and right again', [at(2 * HOUR), at(HOUR), at(3 * HOUR)], 'clock-stepped', ['clock.stepped']],
    ['set back over a restart', [at(2 * HOUR), at(HOUR, 1, 'b')], 'clock-stepped', ['clock.stepped']],
    ['set back before the grant', [at(-HOUR)], 'clock-stepped', ['clock.stepped']],
    ['ended, then set back', [at(73 * HOUR), at(HOUR)], 'clock-stepped', ['lease.expired', 'clock.stepped']],
    [
      'set back, then ended by the count',
      [at(2 * HOUR), at(0), at(0, 73 * HOUR)],
      'clock-stepped',
      ['clock.stepped', 'lease.expired'],
    ],
    ['past wipe-after', [at(14 * DAY)], 'purging', ['lease.expired']],
    ['past wipe-after, after a restart', [at(14 * DAY, 1, 'b')], 'purging', ['lease.expired']],
    ['past it by the count, the wall clock held', [at(0, 1_000 + 14 * DAY)], 'purging', ['lease.expired']],
    [
      'past it, seen, and set back over a restart',
      [at(14 * DAY - 1), at(0, 1, 'b'), at(0, 2 + MINUTE, 'b'), at(14 * DAY, 3 + MINUTE, 'b')],
      'purging',
      ['lease.expired', 'clock.stepped'],
    ],
    ['past it and asked again: one order', [at(14 * DAY), at(15 * DAY), at(0)], 'purging', ['lease.expired']],
  ])('%s', (_, readings, said, actions) => {
    expect(after(readings)).toMatchObject({ said, actions });
  });

  it('the highest time seen wipes, however far the clock is set back before the next look', () => {
    // The look at the very end is lost with the page; what it saw is not.
    const seen = { ...base, lease: { ...base.lease!, highestWall: WALL + 14 * DAY } };
    const { said, present } = after([at(-DAY, 1, 'b')], seen);
    expect(said).toBe('purging');
    expect(present.lease).toBeNull();
    expect(present.cache).toMatchObject({
      keys: [],
      orders: [{ directive: null, reason: 'wipe-after', keys: 2 }],
    });
  });

  it('nothing is wiped where nothing was ever cached: it is only refused', () => {
    expect(after([at(15 * DAY)], { ...base, cache: null })).toMatchObject({
      said: 'no-lease',
      actions: ['lease.expired'],
    });
  });

  it("a successor may use nothing by its predecessor's lease, whose end is still that of the cache", () => {
    const next = 'next' as DeviceId;
    const successor = newLog({ device: next, origin, publicKey: new Uint8Array(32) }, WALL);
    const rows: Rows = { ...base, log: successor, enrolment: { ...enrolment, device: next } };
    expect(after([at(0)], rows).said).toBe('no-lease');
    expect(after([at(14 * DAY - 1), at(-DAY)], rows)).toMatchObject({ said: 'no-lease', actions: [] });
    const { present, actions, said } = after([at(14 * DAY)], rows);
    expect({ said, actions }).toEqual({ said: 'purging', actions: [] });
    expect(present).toMatchObject({ lease: null, cache: { keys: [], orders: [{ reason: 'wipe-after' }] } });
    expect(nextChangeMs(after([at(73 * HOUR)], rows).present.lease, WALL + 73 * HOUR)).toBe(
      14 * DAY - 73 * HOUR,
    );
  });

  it('says until when, also by a clock that was set back a little', () => {
    const { access } = after([at(2 * HOUR), at(2 * HOUR - MINUTE)]);
    const now = WALL + 2 * HOUR - MINUTE;
    expect(access).toEqual({
      allowed: true,
      leftMs: 70 * HOUR,
      until: new Date(now + 70 * HOUR),
      wipeAt: new Date(now + 14 * DAY - 2 * HOUR),
    });
  });
});

describe('offline access, by everything else', () => {
  const gated = (scopes: string[]): CacheRow =>
    raiseGate(cached, { id: 'p1', directive: 'p1', scopes, reason: 'gone' })!.cache;
  const done = (scopes: string[]): CacheRow => ({ ...gated(scopes), orders: [] });
  const lease = { ...base.lease!, scopes: ['*'] };

  it.each<[string, Partial<Rows>, string, string | number]>([
    ['no lease', { lease: null }, 'v_1', 'no-lease'],
    ['a lease of another log', { lease: { ...lease, device: 'other' as DeviceId } }, 'v_1', 'no-lease'],
    ['a scope that the lease names', {}, 'v_1', 71],
    ['a scope that it does not name', {}, 'v_2', 'scope'],
    ['everything, by a lease for one scope', {}, '*', 'scope'],
    ['any scope, by a lease for everything', { lease }, 'v_9', 71],
    ['everything, by a lease for everything', { lease }, '*', 71],
    ['revoked', { enrolment: { ...enrolment, status: 'revoked' } }, 'v_1', 'revoked'],
    [
      'quarantined, with a lease from before',
      { enrolment: { ...enrolment, status: 'quarantined' } },
      'v_1',
      71,
    ],
    ['a log that is closed', { log: { ...base.log!, closed: true } }, 'v_1', 'revoked'],
    ['being purged', { lease, cache: gated(['*']) }, 'v_1', 'purging'],
    [
      'being purged, and revoked',
      { cache: gated(['*']), enrolment: { ...enrolment, status: 'revoked' } },
      'v_1',
      'purging',
    ],
    ['its scope being purged', { lease, cache: gated(['v_1']) }, 'v_1', 'purging'],
    ['another scope being purged', { lease, cache: gated(['v_1']) }, 'v_2', 71],
    ['everything, while one scope is being purged', { lease, cache: gated(['v_1']) }, '*', 'purging'],
    ['purged, without a later lease', { lease, cache: done(['*']) }, 'v_1', 'purged'],
    ['its scope purged', { lease, cache: done(['v_1']) }, 'v_1', 'purged'],
    ['another scope purged', { lease, cache: done(['v_1']) }, 'v_2', 71],
  ])('%s', (_, rows, scope, said) => {
    expect(after([at(HOUR)], { ...base, ...rows }, scope).said).toBe(said);
  });

  it('the app is told which scopes are concerned, and whether they are destroyed yet', () => {
    expect(purgeStatusOf(null)).toBeNull();
    expect(purgeStatusOf(cached)).toBeNull();
    expect(purgeStatusOf(gated(['v_1']))).toEqual({ state: 'purging', scopes: ['v_1'] });
    expect(purgeStatusOf(done(['v_1']))).toEqual({ state: 'purged', scopes: ['v_1'] });
  });
});

describe('the next look', () => {
  it('is due at the end of the lease, and after it when the cache is to go', () => {
    expect(nextChangeMs(null, WALL)).toBeNull();
    expect(nextChangeMs(base.lease, WALL + HOUR)).toBe(71 * HOUR);
    expect(nextChangeMs({ ...base.lease!, ended: true }, WALL + 72 * HOUR)).toBe(14 * DAY - 72 * HOUR);
    expect(nextChangeMs(base.lease, WALL + 15 * DAY)).toBe(0);
  });
});
