import { describe, expect, it } from '@jest/globals';
import { endsOf } from '../../src/control/offboarding-report.ts';
import { CATALOGUE } from '@tachograph/wire/schema';
import { exposureKindOf } from '../../src/core/exposure.ts';
import { leaseEnds } from '../../src/core/lease-decision.ts';
import { purgeEndOf } from '../../src/core/purge-end.ts';
import { silenceOf } from '../../src/core/silence.ts';

const HOUR_MS = 3_600_000;

describe('exposureKindOf', () => {
  it('knows every catalogued use of an item', () => {
    const uses = Object.keys(CATALOGUE).filter((action) => action.startsWith('item.'));
    const harmless = uses.filter((action) => exposureKindOf(action) === null);
    expect(harmless).toEqual(['item.sso']);
  });

  it('takes no other action for an exposure', () => {
    for (const action of ['app.opened', 'signin.attempt', '__proto__', 'constructor', '']) {
      expect(exposureKindOf(action)).toBeNull();
    }
  });
});

describe('purgeEndOf', () => {
  it('believes a confirmation before anything else, and a lease until its very end', () => {
    expect(purgeEndOf({ confirmedAt: 5, blocksAt: 100 }, 10)).toBe('purged');
    expect(purgeEndOf({ confirmedAt: null, blocksAt: 100 }, 99)).toBe('pending');
    expect(purgeEndOf({ confirmedAt: null, blocksAt: 100 }, 100)).toBe('lease_expired_unconfirmed');
    expect(purgeEndOf({ confirmedAt: null, blocksAt: null }, 0)).toBe('lease_expired_unconfirmed');
  });
});

describe('leaseEnds', () => {
  it('stores an end that is later than the true one, by an hour at most and by little of a short lease', () => {
    const long = leaseEnds({ blockAfterSeconds: 259_200, wipeAfterSeconds: 1_209_600 }, 1000);
    expect(long.storedBlocksAt - long.blocksAt).toBe(HOUR_MS);
    const short = leaseEnds({ blockAfterSeconds: 10, wipeAfterSeconds: 20 }, 1000);
    expect(short.blocksAt).toBe(11_000);
    expect(short.storedWipesAt - short.wipesAt).toBeLessThan(100);
  });
});

describe('silenceOf', () => {
  const contact = { seenAt: 0, habitMs: 10 * HOUR_MS, leaseEndsAt: null };

  it('gives a habit twice its length, and the minimum at least', () => {
    expect(silenceOf(contact, HOUR_MS, 20 * HOUR_MS)).toBeNull();
    expect(silenceOf(contact, HOUR_MS, 20 * HOUR_MS + 1)).toBe('habit');
    expect(silenceOf(contact, 72 * HOUR_MS, 72 * HOUR_MS)).toBeNull();
    expect(silenceOf(contact, 72 * HOUR_MS, 72 * HOUR_MS + 1)).toBe('habit');
  });

  it('ends with the lease, however used to silence the device is', () => {
    expect(silenceOf({ ...contact, leaseEndsAt: HOUR_MS }, 72 * HOUR_MS, HOUR_MS)).toBeNull();
    expect(silenceOf({ ...contact, leaseEndsAt: HOUR_MS }, 72 * HOUR_MS, HOUR_MS + 1)).toBe('lease');
  });
});

describe('the ends of many devices', () => {
  it('are found in a time that grows as they do', () => {
    const devices = Array.from({ length: 30_000 }, (_, i) => ({
      tenant: 'acme',
      device: `d${i}`,
      predecessor: i === 0 ? null : `d${i - 1}`,
      succession: 'corrupt' as const,
      status: 'revoked' as const,
      revoked_at: 1,
      log_closed_at: i % 2 === 0 ? i : null,
      blocks_at: null,
    }));
    const directives = devices.map(({ tenant, device }) => ({
      tenant,
      device,
      note: '',
      issued_at: 1,
      confirmed_at: null,
    }));
    const startedAt = performance.now();
    const ends = endsOf(devices, directives, 2);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(ends.get('acme/d29997')).toEqual({ end: 'purged', purgedAt: 29_998 });
    expect(ends.get('acme/d29999')).toEqual({ end: 'lease_expired_unconfirmed', purgedAt: null });
  });
});
