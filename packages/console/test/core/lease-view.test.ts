import { describe, expect, it } from '@jest/globals';
import type { OfflineRefusal } from '@tachograph/client-buffer';
import { leaseView, refusalSentence } from '../../src/core/lease-view.ts';
import type { VaultState } from '../../src/core/vault-state.ts';

const LEASE = { wipeAt: 240_000, spanMs: 120_000 };
const ALLOWED = {
  allowed: true,
  until: new Date(120_000),
  leftMs: 120_000,
  wipeAt: new Date(240_000),
} as const;
const ITEM = { id: 'i_1', scope: 'v_1', cipher: 'ab', summary: null };

function view(vault: Partial<VaultState>, { online = false, now = 0 } = {}) {
  return leaseView({ vault: { access: ALLOWED, items: [ITEM], lease: LEASE, ...vault }, online, now });
}
function refused(reason: OfflineRefusal): VaultState['access'] {
  return { allowed: false, reason };
}

describe('the strip of the lease', () => {
  it('counts down by itself, from the time that the library named', () => {
    expect(view({}, { now: 17_000 })).toMatchObject({ tone: 'hold', left: '1:43', share: 103 / 120 });
    expect(view({}, { now: 130_000 })).toMatchObject({ left: '0:00', share: 0 });
    expect(view({}, { online: true })).toMatchObject({ tone: 'ok', left: '2:00', share: 1 });
  });

  it('counts to the destruction once the lease has ended, and no further', () => {
    const access = refused('expired');
    expect(view({ access }, { now: 180_000 })).toMatchObject({
      tone: 'bad',
      title: 'Locked, destroyed in',
      left: '1:00',
    });
    expect(view({ access }, { now: 250_000 })).toMatchObject({ title: 'Locked', left: '' });
    expect(view({ access, lease: null })).toMatchObject({ title: 'Locked', left: '' });
  });

  it('says destroyed only when nothing is left', () => {
    expect(view({ access: refused('revoked') }).title).toBe('Revoked');
    expect(view({ access: refused('revoked'), items: [] }).title).toBe('Destroyed');
    expect(view({ access: refused('purging') }).title).toBe('Being destroyed');
  });

  it('has a reason for each refusal, and never looks as if it allowed', () => {
    const reasons = [
      'purging',
      'purged',
      'revoked',
      'no-lease',
      'clock-stepped',
      'expired',
      'scope',
    ] as const;
    const sentences = reasons.map((reason) => {
      const { tone, sentence } = view({ access: refused(reason) });
      expect(['bad', 'busy']).toContain(tone);
      return `${sentence} ${refusalSentence(reason)}`;
    });
    expect(new Set(sentences).size).toBe(reasons.length);
    expect(refusalSentence('absent')).toMatch(/^Refused/);
  });

  it('promises no lease to a device that is online and has got none', () => {
    expect(view({ access: refused('no-lease') })).toMatchObject({ tone: 'busy', title: 'No lease yet' });
    expect(view({ access: refused('no-lease') }, { online: true })).toMatchObject({
      tone: 'bad',
      title: 'No lease',
    });
  });

  it('is not sure of anything before the library has answered', () => {
    expect(view({ access: null })).toMatchObject({ tone: 'busy', left: '' });
  });
});
