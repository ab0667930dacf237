import { describe, expect, it } from '@jest/globals';
import { HeldBytes } from '../../src/held-bytes.ts';
import { BodyBudget } from '../../src/http/body-budget.ts';
import { WaitingBytes, type Waiter } from '../../src/lane/waiting-bytes.ts';

const base: Waiter = { partition: 0, tenant: 'acme', bytes: 10, tenantBytesMax: null };

function bounds(processMax: number, laneMax: number) {
  const held = new HeldBytes(processMax);
  return { held, waiting: new WaitingBytes(held, laneMax) };
}

/** Claims until it is refused, and answers how many were granted and why the next one was not. */
function claimAll(waiting: WaitingBytes, waiter: Partial<Waiter>) {
  for (let granted = 0; ; granted++) {
    const claim = waiting.claim({ ...base, ...waiter });
    if (!claim.ok) return [granted, claim.refusal];
  }
}

describe('the bytes that wait', () => {
  it('of one tenant take half a lane, and another tenant still finds room in it (INV-14)', () => {
    const { waiting } = bounds(10_000, 100);
    expect(claimAll(waiting, {})).toEqual([5, 'tenant_share']);
    expect(claimAll(waiting, { tenant: 'other' })).toEqual([2, 'tenant_share']);
    expect(claimAll(waiting, { tenant: 'third' })).toEqual([1, 'tenant_share']);
    // Other lanes are not concerned.
    expect(claimAll(waiting, { partition: 1 })).toEqual([5, 'tenant_share']);
  });

  it('of many tenants never exceed their lane (INV-14)', () => {
    const { waiting } = bounds(10_000, 100);
    for (let i = 0; i < 10; i++) waiting.claim({ ...base, tenant: `t${i}` });
    expect(waiting.ofLane(0)).toBe(100);
    expect(claimAll(waiting, { tenant: 'one-more' })).toEqual([0, 'lane']);
  });

  it('of one tenant take half of the process over all its lanes (INV-14)', () => {
    const { waiting } = bounds(100, 80);
    expect(claimAll(waiting, { partition: 0 })).toEqual([4, 'tenant_share']);
    expect(claimAll(waiting, { partition: 1 })).toEqual([1, 'tenant_share']);
    expect(claimAll(waiting, { partition: 1, tenant: 'other' })).toEqual([2, 'tenant_share']);
  });

  it('share one bound with the bodies that are being read (INV-14)', () => {
    const { held, waiting } = bounds(100, 1_000);
    const bodies = new BodyBudget(held, { totalMax: 60, senderMax: 60 });
    const body = bodies.open('192.0.2.1');
    expect(body.take(60)).toBe(true);
    for (let i = 0; i < 4; i++) expect(waiting.claim({ ...base, tenant: `t${i}` }).ok).toBe(true);
    expect(claimAll(waiting, { tenant: 'one-more' })).toEqual([0, 'process']);
    body.release();
    expect(bodies.open('192.0.2.1').take(60)).toBe(true);
    expect(bodies.open('192.0.2.1').take(1)).toBe(false);
    expect(held.held).toBe(100);
  });

  it('of a tenant with a quota stay below it, but for one append that is larger by itself', () => {
    const { waiting } = bounds(10_000, 1_000);
    expect(claimAll(waiting, { tenantBytesMax: 35 })).toEqual([3, 'tenant_quota']);
    expect(claimAll(waiting, { tenant: 'other', bytes: 50, tenantBytesMax: 35 })).toEqual([
      1,
      'tenant_quota',
    ]);
  });

  it('are given back once, and nothing is remembered of them', () => {
    const { held, waiting } = bounds(10_000, 100);
    const claims = [waiting.claim(base), waiting.claim(base), waiting.claim({ ...base, partition: 2 })];
    expect([held.held, waiting.total, waiting.ofLane(0), waiting.ofLane(2)]).toEqual([30, 30, 20, 10]);
    for (const claim of claims) {
      if (!claim.ok) throw new Error('there was room');
      claim.release();
      claim.release();
    }
    expect([held.held, waiting.total, waiting.ofLane(0), waiting.ofLane(2)]).toEqual([0, 0, 0, 0]);
    expect(claimAll(waiting, {})).toEqual([5, 'tenant_share']);
  });

  it('take nothing where they are refused', () => {
    const { held, waiting } = bounds(100, 100);
    expect(waiting.claim({ ...base, bytes: 101 }).ok).toBe(false);
    expect([held.held, waiting.total]).toEqual([0, 0]);
  });
});
