import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { AuditBufferError, type CacheHooks } from '@tachograph/client-buffer';
import { fillCache } from '../src/cache-fill.ts';
import { cacheHooks, type PurgeStep } from '../src/cache-hooks.ts';
import type { VaultItem } from '../src/core/vault.ts';
import { openItem, sealItem } from '../src/item-seal.ts';
import { sealedItems, type SealedItems } from '../src/sealed-items.ts';

const ITEM: VaultItem = { id: 'i_1', kind: 'key', name: 'API key', username: 'acme', secret: 'demo-1' };
const signal = new AbortController().signal;

function newKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

let items: SealedItems;
let key: CryptoKey;
let steps: PurgeStep[];
let fail: PurgeStep | null;
beforeEach(async () => {
  [steps, fail] = [[], null];
  items = sealedItems();
  key = await newKey();
  await items.remove('*');
  for (const [place, scope] of ['v_1', 'v_1', 'v_2'].entries())
    await items.put([await sealItem(key, scope, { ...ITEM, id: `i_${place}` }, place)]);
});

/** The hooks of a page that may die at a step. */
function hooks(): CacheHooks {
  return cacheHooks(items, async (step) => {
    steps.push(step);
    if (step === fail) throw new Error('the page is gone');
  });
}

describe('an item in the cache', () => {
  it('comes back as it was under its key, and nothing of it can be read from the disk', async () => {
    const [row] = await items.all();
    expect(await openItem(key, row!)).toEqual({ ...ITEM, id: 'i_0' });
    const stored = JSON.stringify(row) + Buffer.from(row!.sealed).toString('latin1');
    for (const part of [ITEM.name, ITEM.username, ITEM.secret]) expect(stored).not.toContain(part);
  });

  it('is opened by no other key, and in no other place', async () => {
    const [row] = await items.all();
    expect(await openItem(await newKey(), row!)).toBeNull();
    expect(await openItem(key, { ...row!, id: 'i_1' })).toBeNull();
    expect(await openItem(key, { ...row!, scope: 'v_2' })).toBeNull();
    expect(await openItem(key, { ...row!, sealed: row!.sealed.slice(1) })).toBeNull();
  });

  it('stands in the order of the list', async () => {
    expect((await items.all()).map(({ id }) => id)).toEqual(['i_0', 'i_1', 'i_2']);
  });
});

describe('filling the cache', () => {
  const vaults = [{ id: 'v_1', name: 'One', items: [ITEM] }];
  const times = { until: new Date(60_000), leftMs: 60_000, wipeAt: new Date(120_000) };
  /** A library whose lease is asked again once the items are there. */
  function library(after: 'allowed' | 'purging' | 'failing') {
    let inventories = 0;
    return {
      reported: () => inventories,
      cacheKey: async () => ({ allowed: true, key, ...times }) as const,
      offlineAccess: async () => {
        if (after === 'failing') throw new AuditBufferError('ERR_STORAGE', 'the disk is gone');
        return after === 'allowed'
          ? ({ allowed: true, ...times } as const)
          : ({ allowed: false, reason: after } as const);
      },
      reportInventory: async () => {
        inventories++;
      },
    };
  }

  it('puts what the server has under the keys of the vaults, and reports that it is held', async () => {
    await items.remove('*');
    const audit = library('allowed');
    expect(await fillCache(audit, items, async () => vaults)).toBe('filled');
    expect((await items.all()).map(({ id, scope }) => [id, scope])).toEqual([['i_1', 'v_1']]);
    expect(audit.reported()).toBe(1);
  });

  it('leaves nothing where a purge came between the key and the items, or where nobody knows', async () => {
    for (const after of ['purging', 'failing'] as const) {
      const audit = library(after);
      expect(await fillCache(audit, items, async () => vaults)).toBe('failed');
      expect(await items.all()).toEqual([]);
      expect(audit.reported()).toBe(0);
    }
  });

  it('touches nothing without an answer of the server, or without a key', async () => {
    const before = (await items.all()).length;
    expect(await fillCache(library('allowed'), items, async () => null)).toBe('failed');
    const keyless = {
      ...library('allowed'),
      cacheKey: async () => ({ allowed: false, reason: 'expired' }) as const,
    };
    expect(await fillCache(keyless, items, async () => vaults)).toBe('failed');
    expect(await items.all()).toHaveLength(before);
  });
});

describe('the hooks of the cache', () => {
  it('destroy everything, or one vault, and count what they destroyed', async () => {
    const cache = hooks();
    expect(await cache.purge({ scope: 'v_1', signal })).toEqual({ items: 2 });
    expect([
      await cache.isEmpty({ scope: 'v_1', signal }),
      await cache.isEmpty({ scope: '*', signal }),
    ]).toEqual([true, false]);
    expect(await cache.purge({ scope: '*', signal })).toEqual({ items: 1 });
    expect(await cache.isEmpty({ scope: '*', signal })).toBe(true);
    // Called again, as after a crash.
    expect(await cache.purge({ scope: '*', signal })).toEqual({ items: 0 });
  });

  it('go on where a page ended that died on the way', async () => {
    const cache = hooks();
    fail = 'partly-gone';
    await expect(cache.purge({ scope: '*', signal })).rejects.toThrow('the page is gone');
    expect(await cache.isEmpty({ scope: '*', signal })).toBe(false);
    fail = null;
    expect(await cache.purge({ scope: '*', signal })).toEqual({ items: 1 });
    expect(await cache.isEmpty({ scope: '*', signal })).toBe(true);
    expect(new Set(steps)).toEqual(new Set(['called', 'partly-gone', 'asked', 'all-gone']));
  });

  it('list what is held by ids alone, since that is reported while nothing may be read, too', async () => {
    const [held] = await hooks().inventory!();
    expect(held?.targets).toEqual(['i_0', 'i_1', 'i_2'].map((id) => ({ type: 'item', id })));
  });
});
