import type { AuditBuffer, BufferStatus, OfflineAccess, OfflineRefusal } from '@tachograph/client-buffer';
import type { VaultItem } from './core/vault.ts';
import {
  cipherText,
  NO_VAULT,
  parseLeaseMemory,
  rememberLease,
  type CachedItem,
  type VaultState,
} from './core/vault-state.ts';
import { fetchVaults } from './demo-server.ts';
import type { DemoSchemas } from './events.ts';
import { accessOf, keyOf } from './cache-access.ts';
import { fillCache } from './cache-fill.ts';
import { openItem } from './item-seal.ts';
import type { SealedItem, SealedItems } from './sealed-items.ts';

const KEY = 'tachograph-demo.lease';
/** The library finds out by itself that a lease ended; a look at that time shows it. */
const LOOK_MIN_MS = 250;
const LOOK_MAX_MS = 15_000;
const FILL_RETRY_MS = 2_000;

export type OpenedItem =
  | { readonly allowed: true; readonly item: VaultItem }
  | { readonly allowed: false; readonly reason: OfflineRefusal | 'absent' };

export type OfflineVault = {
  readonly state: () => VaultState;
  /** Decrypts one item, if the lease allows that now: asked anew for each use. */
  readonly read: (id: string) => Promise<OpenedItem>;
};

/** Follows whether the cache may be read, shows what may be seen, and fills the cache where it is empty. */
export function openOfflineVault(
  audit: AuditBuffer<DemoSchemas>,
  items: SealedItems,
  onChange: () => void,
): OfflineVault {
  let state: VaultState = { ...NO_VAULT, lease: parseLeaseMemory(localStorage.getItem(KEY)) };
  let receipt = '';
  let running = false;
  let wanted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = async (): Promise<void> => {
    wanted = true;
    if (running) return;
    running = true;
    while (wanted) {
      wanted = false;
      await lookOnce();
    }
    running = false;
  };
  const lookOnce = async (): Promise<void> => {
    clearTimeout(timer);
    const { lease } = state;
    const access = await accessOf(audit);
    const cached = await shown(audit, items, access);
    const isRenewed = receipt !== receiptOf(audit.status());
    receipt = receiptOf(audit.status());
    const next = access === null ? lease : rememberLease(lease, access, isRenewed);
    if (next !== null && next !== lease) localStorage.setItem(KEY, `${next.wipeAt} ${next.spanMs}`);
    state = { access, items: cached, lease: next };
    onChange();
    const { state: connection, origin } = audit.status();
    const filled =
      access?.allowed && cached.length === 0 && connection === 'online' && origin !== null
        ? await fillCache(audit, items, () => fetchVaults(origin.slice(origin.lastIndexOf('/') + 1)))
        : 'no need';
    if (filled === 'filled') wanted = true;
    const leftMs = access?.allowed ? access.leftMs : LOOK_MAX_MS;
    const waitMs = filled === 'failed' ? FILL_RETRY_MS : leftMs;
    timer = setTimeout(() => void look(), Math.min(Math.max(waitMs, LOOK_MIN_MS), LOOK_MAX_MS));
  };

  let soon: ReturnType<typeof setTimeout> | undefined;
  // Any change may have brought a lease or a purge; a look that finds nothing new changes nothing, and ends this.
  audit.subscribe(() => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void look();
    }, LOOK_MIN_MS);
  });
  // Timers stand still in a page that sleeps, and time does not.
  document.addEventListener('visibilitychange', () => void look());
  return {
    state: () => state,
    read: async (id) => {
      const row = (await items.all()).find((one) => one.id === id);
      if (row === undefined) return { allowed: false, reason: 'absent' };
      const access = await keyOf(audit, row.scope);
      if (access === null || !access.allowed) {
        void look();
        return { allowed: false, reason: access?.reason ?? 'no-lease' };
      }
      const item = await openItem(access.key, row);
      return item === null ? { allowed: false, reason: 'absent' } : { allowed: true, item };
    },
  };
}

function receiptOf({ receipt }: BufferStatus): string {
  return `${receipt?.size} ${receipt?.time}`;
}

/** The rows of the cache, with what may be shown of them. A vault that its key does not open any more is thrown away. */
async function shown(
  audit: AuditBuffer<DemoSchemas>,
  items: SealedItems,
  access: OfflineAccess | null,
): Promise<readonly CachedItem[]> {
  const rows = await items.all();
  if (!access?.allowed) return rows.map((row) => cachedItem(row, null));
  const opened: CachedItem[] = [];
  const stale = new Set<string>();
  for (const row of rows) {
    const key = await keyOf(audit, row.scope);
    const item = key?.allowed ? await openItem(key.key, row) : null;
    if (key?.allowed && item === null) stale.add(row.scope);
    else opened.push(cachedItem(row, item));
  }
  for (const scope of stale) await items.remove(scope);
  return opened.filter(({ scope }) => !stale.has(scope));
}

function cachedItem({ id, scope, sealed }: SealedItem, item: VaultItem | null): CachedItem {
  if (item === null) return { id, scope, cipher: cipherText(sealed), summary: null };
  const { kind, name, username } = item;
  return { id, scope, cipher: cipherText(sealed), summary: { id, kind, name, username } };
}
