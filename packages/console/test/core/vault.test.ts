import { describe, expect, it } from '@jest/globals';
import { parseItem, parseVaults } from '../../src/core/vault.ts';
import { cipherText, listName, parseLeaseMemory, rememberLease } from '../../src/core/vault-state.ts';

const ITEM = { id: 'i_11', kind: 'key', name: 'API', username: 'acme', secret: 'demo-1' } as const;

describe('what the server says of the vault', () => {
  it('is read item by item, without what is not of it', () => {
    const vaults = [{ id: 'v_1', name: 'One', items: [{ ...ITEM, more: 1 }], more: 1 }];
    expect(parseVaults({ vaults })).toEqual([{ id: 'v_1', name: 'One', items: [ITEM] }]);
  });

  it('is nothing where any of it is malformed: half a vault is not cached', () => {
    for (const item of [{}, null, { ...ITEM, kind: 'constructor' }, { ...ITEM, secret: 1 }, 'text'])
      expect(parseVaults({ vaults: [{ id: 'v_1', name: 'One', items: [ITEM, item] }] })).toBeNull();
    for (const answer of [null, '<!doctype html>', {}, { vaults: {} }, { vaults: [null] }])
      expect(parseVaults(answer)).toBeNull();
    expect(parseItem([])).toBeNull();
  });
});

describe('the list of the cache', () => {
  const cached = { id: 'i_11', scope: 'v_1', cipher: 'ab', summary: ITEM };

  it('is drawn anew when a row locks, and not when only the lease was renewed', () => {
    const state = { access: null, items: [cached], lease: null };
    expect(listName({ ...state, lease: { wipeAt: 1, spanMs: 1 } })).toBe(listName(state));
    expect(listName({ ...state, items: [{ ...cached, summary: null }] })).not.toBe(listName(state));
  });

  it('shows the beginning of a ciphertext, however short that is', () => {
    expect(cipherText(Uint8Array.of(0, 255).buffer)).toBe('00ff');
    expect(cipherText(new Uint8Array(400).buffer)).toHaveLength(36);
  });
});

describe('what is remembered of a lease', () => {
  const access = {
    allowed: true,
    until: new Date(60_000),
    leftMs: 60_000,
    wipeAt: new Date(120_000),
  } as const;

  it('is its longest rest since the renewal, and when the cache is destroyed', () => {
    const first = rememberLease(null, access, true);
    expect(first).toEqual({ wipeAt: 120_000, spanMs: 60_000 });
    expect(rememberLease(first, { ...access, leftMs: 10_000 }, false)?.spanMs).toBe(60_000);
    expect(rememberLease(first, { ...access, leftMs: 10_000 }, true)?.spanMs).toBe(10_000);
  });

  it('stays while the lease is over: it says when the cache goes', () => {
    const first = rememberLease(null, access, true);
    expect(rememberLease(first, { allowed: false, reason: 'expired' }, false)).toBe(first);
  });

  it('is nothing where the stored text is something else', () => {
    expect(parseLeaseMemory('120000 60000')).toEqual({ wipeAt: 120_000, spanMs: 60_000 });
    for (const text of [null, '', 'x', '1', '1 x', '1 0', 'NaN 5']) expect(parseLeaseMemory(text)).toBeNull();
  });
});
