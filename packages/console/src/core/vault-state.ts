import type { OfflineAccess } from '@tachograph/client-buffer';
import type { ItemSummary } from './vault.ts';

/** One row of the list. `summary` is there only while the lease lasts; `cipher` is what lies on the disk, to show it. */
export type CachedItem = {
  readonly id: string;
  readonly scope: string;
  readonly cipher: string;
  readonly summary: ItemSummary | null;
};

/** The offline cache as the page shows it. */
export type VaultState = {
  /** `null` until the library was asked, or while its store fails: both mean no. */
  readonly access: OfflineAccess | null;
  readonly items: readonly CachedItem[];
  /** What was known of the lease when it still allowed: when the library destroys the cache, and how long a whole lease is. */
  readonly lease: LeaseMemory | null;
};

export type LeaseMemory = { readonly wipeAt: number; readonly spanMs: number };

export const NO_VAULT: VaultState = { access: null, items: [], lease: null };

const CIPHER_BYTES = 18;

/** The first bytes of a ciphertext, in hexadecimal. */
export function cipherText(sealed: ArrayBuffer): string {
  return Array.from(new Uint8Array(sealed, 0, Math.min(CIPHER_BYTES, sealed.byteLength)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** What the lease looks like at `now`; a longer one than was seen so far is a whole one. */
export function rememberLease(
  known: LeaseMemory | null,
  access: OfflineAccess,
  isRenewed: boolean,
): LeaseMemory | null {
  if (!access.allowed) return known;
  const spanMs = isRenewed ? access.leftMs : Math.max(known?.spanMs ?? 0, access.leftMs);
  return { wipeAt: access.wipeAt.getTime(), spanMs };
}

/** Changes only when the rows of the list do, so that an open secret is not hidden by a look. */
export function listName({ items }: VaultState): string {
  return items.map(({ id, summary, cipher }) => `${id}:${summary === null ? cipher : summary.name}`).join();
}

export function parseLeaseMemory(text: string | null): LeaseMemory | null {
  const [wipeAt, spanMs] = (text ?? '').split(' ').map(Number);
  if (wipeAt === undefined || spanMs === undefined) return null;
  return Number.isFinite(wipeAt) && spanMs > 0 ? { wipeAt, spanMs } : null;
}
