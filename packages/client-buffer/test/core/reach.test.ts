import { describe, expect, it } from '@jest/globals';
import { Reach } from '../../src/core/reach.ts';
import { networkSetback, PROGRESS, setback } from '../../src/step.ts';

const older = { size: 3, time: 1_795_341_600, source: 'older' };
const newer = { ...older, time: older.time + 1, source: 'newer' };

describe('Reach', () => {
  it('holds before any exchange', () => {
    expect(new Reach().holds(null)).toBe(true);
  });

  it.each([null, older])(
    'is lost by a network failure until an exchange succeeds (receipt %p)',
    (receipt) => {
      const reach = new Reach();
      reach.ended(networkSetback('offline'), receipt);
      expect(reach.holds(receipt)).toBe(false);
      reach.ended(PROGRESS, receipt);
      expect(reach.holds(receipt)).toBe(true);
    },
  );

  it.each(['server', 'refused', 'device'] as const)('is not lost by a setback of cause %s', (cause) => {
    const reach = new Reach();
    reach.ended(setback(cause, { code: 'ERR_INTERNAL', detail: '' }), older);
    expect(reach.holds(older)).toBe(true);
  });

  it("comes back with another tab's receipt, and not where the store reads the same one anew or has none", () => {
    const reach = new Reach();
    reach.ended(networkSetback('offline'), older);
    expect(reach.holds({ ...older })).toBe(false);
    expect(reach.holds(null)).toBe(false);
    expect(reach.holds(newer)).toBe(true);
    reach.ended(networkSetback('offline'), newer);
    expect(reach.holds(newer)).toBe(false);
  });
});
