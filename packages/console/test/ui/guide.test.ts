import { describe, expect, it } from '@jest/globals';
import { guideStep, type GuideFacts } from '../../src/ui/guide.ts';

function step(facts: Partial<GuideFacts>) {
  const start = { switchedOff: false, pending: 0, reloaded: false, arrived: false, revoked: false };
  return guideStep({ ...start, ...facts });
}

describe('the guide', () => {
  it('leads through offline, use, reload, online', () => {
    expect(step({})).toBe('offline');
    expect(step({ switchedOff: true })).toBe('use');
    expect(step({ switchedOff: true, pending: 3 })).toBe('reload');
    expect(step({ switchedOff: true, pending: 3, reloaded: true })).toBe('online');
  });

  it('leads on to revoking once something has arrived, and then back online', () => {
    expect(step({ arrived: true })).toBe('revoke');
    expect(step({ arrived: true, switchedOff: true, revoked: true })).toBe('purge');
    expect(step({ revoked: true })).toBe('purge');
  });
});
