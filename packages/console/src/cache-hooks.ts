import type { CacheHooks } from '@tachograph/client-buffer';
import { ACTOR } from './core/vault.ts';
import type { SealedItems } from './sealed-items.ts';

/** The places of a purge at which an end-to-end test may hold, and kill, this page. */
export type PurgeStep =
  /** The gate is up and the keys are gone; nothing of the items is. */
  | 'called'
  /** One vault is gone. */
  | 'partly-gone'
  /** Everything is gone, and the library does not know it. */
  | 'all-gone'
  /** The library asks whether anything is left. */
  | 'asked';

/** Told of each step; the purge waits for it. */
export type ReachStep = (step: PurgeStep) => Promise<void>;

/** How the audit buffer destroys and lists what this app caches. Each hook may be called again, and by two tabs at once. */
export function cacheHooks(items: SealedItems, reach: ReachStep): CacheHooks {
  return {
    purge: async ({ scope }) => {
      await reach('called');
      const concerned = (await items.all()).filter((row) => scope === '*' || row.scope === scope);
      let count = 0;
      for (const vault of new Set(concerned.map((row) => row.scope))) {
        count += await items.remove(vault);
        await reach('partly-gone');
      }
      await reach('all-gone');
      return { items: count };
    },
    isEmpty: async ({ scope }) => {
      await reach('asked');
      return (await items.all()).every((row) => scope !== '*' && row.scope !== scope);
    },
    // By their ids alone: the names are as secret as the items, and readable only while the lease lasts.
    inventory: async () => [
      { actor: { id: ACTOR.id }, targets: (await items.all()).map(({ id }) => ({ type: 'item', id })) },
    ],
  };
}
