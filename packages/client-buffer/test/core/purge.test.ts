import type { Authority, DeviceId, TenantId } from '@tachograph/wire';
import { originOf } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { EMPTY_CACHE, type CacheRow } from '../../src/core/cache-row.ts';
import {
  admitLease,
  closesFor,
  concerns,
  dueInMs,
  failOrder,
  finishOrder,
  isWorthReporting,
  raiseGate,
} from '../../src/core/purge.ts';
import { EMPTY_ROWS, newLog, type Rows } from '../../src/core/rows.ts';

const order = (id: string, scopes: readonly string[] = ['*'], directive: string | null = id) => ({
  id,
  directive,
  scopes,
  reason: 'left',
});
const gated = (before: CacheRow | null, ...orders: ReturnType<typeof order>[]): CacheRow =>
  orders.reduce<CacheRow>((cache, next) => raiseGate(cache, next)?.cache ?? cache, before ?? EMPTY_CACHE);

describe('concerns', () => {
  it.each<[readonly string[], string, boolean]>([
    [[], 'v_1', false],
    [[], '*', false],
    [['v_1'], 'v_1', true],
    [['v_1'], 'v_2', false],
    [['v_1'], 'v_11', false],
    [['v_1'], '*', true],
    [['*'], 'v_1', true],
    [['*'], '*', true],
  ])('%j and %s: %s', (scopes, scope, expected) => {
    expect(concerns(scopes, scope)).toBe(expected);
  });
});

describe('the gate', () => {
  const cached = { ...EMPTY_CACHE, keys: ['v_1', 'v_2', '*'] };
  it('for everything takes every key, for a scope its own', () => {
    expect(raiseGate(cached, order('p'))).toMatchObject({
      dropKeys: ['v_1', 'v_2', '*'],
      cache: { keys: [] },
    });
    expect(raiseGate(cached, order('p', ['v_1', 'v_9']))).toMatchObject({
      dropKeys: ['v_1'],
      cache: { keys: ['v_2', '*'], blocked: ['v_1', 'v_9'], orders: [{ keys: 1 }] },
    });
  });
  it('is raised once for an order, also when it was carried out already', () => {
    const once = gated(cached, order('p'));
    expect(raiseGate(once, order('p'))).toBeNull();
    const done = finishOrder(once, 'p')!.cache;
    expect(raiseGate(done, order('p'))).toBeNull();
    expect(raiseGate(done, order('q'))).not.toBeNull();
  });
  it('for no scope is none', () => {
    expect(raiseGate(cached, order('p', []))).toBeNull();
  });
  it('keeps a bounded number of orders and of ids', () => {
    const many = Array.from({ length: 100 }, (_, i) => order(`p${i}`));
    expect(gated(null, ...many).orders).toHaveLength(64);
    let cache: CacheRow = EMPTY_CACHE;
    for (let i = 0; i < 300; i++) cache = finishOrder(gated(cache, order(`p${i}`)), `p${i}`)!.cache;
    expect(cache.done).toHaveLength(256);
    expect(cache.done.at(-1)).toBe('p299');
  });
});

describe('a lease', () => {
  it('counts while nothing has changed since its request was made', () => {
    expect(admitLease(null, 0)).toMatchObject({ epoch: 1 });
    expect(admitLease({ ...EMPTY_CACHE, epoch: 3 }, 3)).toMatchObject({ epoch: 4 });
  });
  it('does not count after another one, a gate, or the end of a purge', () => {
    const first = admitLease(null, 0)!;
    expect(admitLease(first, 0)).toBeNull();
    const gate = gated(first, order('p'));
    expect(admitLease(gate, first.epoch)).toBeNull();
    const done = finishOrder(gate, 'p')!.cache;
    expect(admitLease(done, gate.epoch)).toBeNull();
    expect(admitLease(done, done.epoch)).toMatchObject({ blocked: [] });
  });
  it('opens nothing that is still being destroyed', () => {
    const both = gated(null, order('p', ['v_1']), order('q', ['v_2']));
    const one = finishOrder(both, 'p')!.cache;
    expect(one.blocked).toEqual(['v_1', 'v_2']);
    expect(admitLease(one, one.epoch)).toMatchObject({ blocked: ['v_2'] });
  });
});

describe('an order that fails', () => {
  const accepted = gated(null, order('p')).orders[0]!;
  it('is tried again after 5 seconds, and at most every five minutes', () => {
    let failing = accepted;
    const waits = Array.from({ length: 10 }, () => {
      failing = failOrder(failing, 'x', 1_000);
      return dueInMs(failing, 1_000) / 1000;
    });
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300, 300]);
  });
  it('is due at once where the clock was set back by more than any wait', () => {
    expect(dueInMs({ ...accepted, retryAt: 10_000_000 }, 0)).toBe(0);
    expect(dueInMs({ ...accepted, retryAt: 300_000 }, 0)).toBe(300_000);
    expect(dueInMs({ ...accepted, retryAt: 1 }, 2)).toBe(0);
  });
  it('is reported at first, for a new reason, and then ever less', () => {
    let failing = accepted;
    const told: number[] = [];
    for (let i = 1; i <= 40; i++) {
      const after = failOrder(failing, i === 7 ? 'y' : 'x', 0);
      if (isWorthReporting(failing, after)) told.push(i);
      failing = after;
    }
    expect(told).toEqual([1, 2, 4, 7, 8, 16, 32]);
  });
});

describe('closing the log', () => {
  const device = 'd' as DeviceId;
  const origin = originOf('audit.example.com' as Authority, 'acme' as TenantId, device);
  const log = newLog({ device, origin, publicKey: new Uint8Array(32) }, 0);
  const revoked = { device, status: 'revoked', challenge: null, succession: null } as const;
  const done = finishOrder(gated(null, order('p')), 'p')!.cache;
  const rows = (change: Partial<Rows>): Rows => ({
    ...EMPTY_ROWS,
    log,
    enrolment: revoked,
    cache: done,
    ...change,
  });

  it.each<[string, Partial<Rows>, string | null]>([
    ['revoked, and everything destroyed as ordered', {}, 'p'],
    ['not revoked', { enrolment: { ...revoked, status: 'enrolled' } }, null],
    ['closed already', { log: { ...log, closed: true } }, null],
    ['nothing ordered', { cache: null }, null],
    ['not destroyed yet', { cache: gated(null, order('p')) }, null],
    ['something else not destroyed yet', { cache: gated(done, order('q', ['v_1'])) }, null],
    [
      'only some scopes destroyed',
      { cache: finishOrder(gated(null, order('p', ['v_1'])), 'p')!.cache },
      null,
    ],
    [
      'destroyed by the end of the lease',
      { cache: finishOrder(gated(null, order('w', ['*'], null)), 'w')!.cache },
      null,
    ],
    ['destroyed before a later lease', { cache: admitLease(done, done.epoch) }, null],
  ])('%s', (_, change, expected) => {
    expect(closesFor(rows(change))).toBe(expected);
  });
});
