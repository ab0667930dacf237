import { describe, expect, it } from '@jest/globals';
import { ITEMS, VAULTS } from '../../src/core/vault.ts';

describe('the vault of the demo', () => {
  it('has items of distinct ids in every vault', () => {
    expect(VAULTS.every(({ items }) => items.length > 0)).toBe(true);
    expect(new Set(ITEMS.map(({ item }) => item.id)).size).toBe(ITEMS.length);
  });
});
