import { describe, expect, it } from '@jest/globals';
import { inventoryOf } from '../../src/core/inventory.ts';

const targets = (count: number, name = 'x') =>
  Array.from({ length: count }, (_, i) => ({ type: 'item', id: `i_${i}`, name }));

describe('an inventory', () => {
  it('of nothing is an event that says so', () => {
    for (const holdings of [[], [{ actor: { id: 'u_7' }, targets: [] }]])
      expect(inventoryOf(holdings)).toEqual({
        name: null,
        leaves: [{ action: 'cache.inventory', data: { held: 0 } }],
      });
  });

  it('names each person for what they hold, in portions that fit an event', () => {
    const { leaves } = inventoryOf([
      { actor: { id: 'u_7' }, targets: targets(150) },
      { actor: { id: 'u_8' }, targets: targets(1) },
    ]);
    expect(leaves.map(({ actor, targets: own, data }) => [actor?.id, own?.length, data])).toEqual([
      ['u_7', 64, { held: 150, part: 1, parts: 3 }],
      ['u_7', 64, { held: 150, part: 2, parts: 3 }],
      ['u_7', 22, { held: 150, part: 3, parts: 3 }],
      ['u_8', 1, { held: 1, part: 1, parts: 1 }],
    ]);
    const long = inventoryOf([{ actor: { id: 'u_7' }, targets: targets(100, 'é'.repeat(1000)) }]);
    for (const leaf of long.leaves) expect(JSON.stringify(leaf).length * 2).toBeLessThan(2 * 32 * 1024);
    expect(long.leaves.flatMap(({ targets: own }) => own)).toHaveLength(100);
  });

  it('has another name when anything in it is another', () => {
    const names = [
      [{ actor: { id: 'u_7' }, targets: targets(2) }],
      [{ actor: { id: 'u_7' }, targets: targets(3) }],
      [{ actor: { id: 'u_8' }, targets: targets(2) }],
    ].map((holdings) => inventoryOf(holdings).name);
    expect(new Set(names).size).toBe(3);
    expect(inventoryOf([{ actor: { id: 'u_7' }, targets: targets(2) }]).name).toBe(names[0]);
  });
});
