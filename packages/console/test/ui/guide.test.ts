import { describe, expect, it } from '@jest/globals';
import { guideStep } from '../../src/ui/guide.ts';

describe('the guide', () => {
  it('leads through offline, use, reload, online', () => {
    expect(guideStep({ switchedOff: false, pending: 0, reloaded: false })).toBe('offline');
    expect(guideStep({ switchedOff: true, pending: 0, reloaded: false })).toBe('use');
    expect(guideStep({ switchedOff: true, pending: 3, reloaded: false })).toBe('reload');
    expect(guideStep({ switchedOff: true, pending: 3, reloaded: true })).toBe('online');
  });
});
