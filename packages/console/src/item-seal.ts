import { parseItem, type VaultItem } from './core/vault.ts';
import type { SealedItem } from './sealed-items.ts';

const IV_BYTES = 12;

/** An item under the key of its scope (AES-GCM), bound to its place: no row can be passed off as another. */
export async function sealItem(
  key: CryptoKey,
  scope: string,
  item: VaultItem,
  place: number,
): Promise<SealedItem> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const additionalData = nameOf(scope, item.id);
  const plain = new TextEncoder().encode(JSON.stringify(item));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain);
  return { id: item.id, scope, place, iv, sealed };
}

/** The item, or `null` where this key does not open it: one of before a purge. */
export async function openItem(
  key: CryptoKey,
  { scope, id, iv, sealed }: SealedItem,
): Promise<VaultItem | null> {
  try {
    const additionalData = nameOf(scope, id);
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, sealed);
    return parseItem(JSON.parse(new TextDecoder().decode(plain)));
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

function nameOf(scope: string, id: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${scope}/${id}`);
}
