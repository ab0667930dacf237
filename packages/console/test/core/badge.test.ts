import type { BufferState } from '@tachograph/client-buffer';
import { describe, expect, it } from '@jest/globals';
import { badgeOf } from '../../src/core/badge.ts';

function badge(state: BufferState, { pending = 0, switchedOff = false, detail = '' } = {}) {
  const problem = detail === '' ? null : { code: 'ERR_SIGNATURE' as const, detail };
  return badgeOf({ state, ledger: { pending }, problem }, switchedOff);
}

describe('the badge', () => {
  it('is good only when the last exchange succeeded and nothing waits', () => {
    expect(badge('online')).toMatchObject({ tone: 'ok', label: 'Up to date' });
    expect(badge('online', { pending: 1 })).toMatchObject({ tone: 'busy', label: 'Sending' });
  });

  it('says offline as soon as the switch is thrown, before the library has noticed', () => {
    expect(badge('online', { switchedOff: true }).label).toBe('Offline');
    expect(badge('recording-only', { switchedOff: true, pending: 3 }).label).toBe('Offline, holding');
  });

  it('says offline by itself when the network is lost', () => {
    expect(badge('offline', { pending: 2 })).toMatchObject({ tone: 'hold', label: 'Offline, holding' });
  });

  it('never hides behind the switch that nothing is stored or recorded', () => {
    for (const state of ['memory-only', 'failed', 'revoked', 'refused'] as const)
      expect(badge(state, { switchedOff: true }).tone).toBe('bad');
  });

  it('gives the reason of a refusal', () => {
    expect(badge('refused', { detail: 'the token is used up' }).sentence).toBe('the token is used up');
  });
});
