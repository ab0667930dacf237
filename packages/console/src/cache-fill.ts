import type { AuditBuffer } from '@tachograph/client-buffer';
import { accessOf, keyOf } from './cache-access.ts';
import type { Vault } from './core/vault.ts';
import { sealItem } from './item-seal.ts';
import type { SealedItem, SealedItems } from './sealed-items.ts';

/** Fetches the vault into the cache, under the keys that the lease releases. */
export async function fillCache(
  audit: Pick<AuditBuffer, 'offlineAccess' | 'cacheKey' | 'reportInventory'>,
  items: SealedItems,
  fetchVaults: () => Promise<readonly Vault[] | null>,
): Promise<'filled' | 'failed'> {
  const vaults = await fetchVaults();
  if (vaults === null) return 'failed';
  const sealed: SealedItem[] = [];
  for (const { id: scope, items: own } of vaults) {
    const key = await keyOf(audit, scope);
    if (!key?.allowed) return 'failed';
    for (const item of own) sealed.push(await sealItem(key.key, scope, item, sealed.length));
  }
  await items.put(sealed);
  // A purge that came between has destroyed the keys, and looked for the items before they were here.
  if (!(await accessOf(audit))?.allowed) {
    await items.remove('*');
    return 'failed';
  }
  await audit.reportInventory();
  return 'filled';
}
