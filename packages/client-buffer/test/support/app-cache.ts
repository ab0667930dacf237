import type { CacheHolding, CacheHooks } from '../../src/offline-types.ts';

/** What an app keeps on disk for offline use: items by scope. It outlives pages. */
export class AppCache {
  readonly items = new Map<string, string[]>();
  /** The calls of the hooks, in order. */
  readonly calls: string[] = [];
  /** Runs before each purge: throws, or hangs, as an app's code may. */
  before: (scope: string) => void | Promise<void> = () => undefined;
  holder = 'u_7';

  fill(scope = 'v_1', count = 3): void {
    this.items.set(
      scope,
      Array.from({ length: count }, (_, i) => `${scope}-item-${i}`),
    );
  }

  get isEmpty(): boolean {
    return this.items.size === 0;
  }

  readonly hooks: CacheHooks = {
    purge: async ({ scope }) => {
      this.calls.push(`purge ${scope}`);
      await this.before(scope);
      const gone = [...this.items].filter(([own]) => scope === '*' || own === scope);
      for (const [own] of gone) this.items.delete(own);
      return { items: gone.reduce((sum, [, items]) => sum + items.length, 0) };
    },
    isEmpty: async ({ scope }) => {
      this.calls.push(`isEmpty ${scope}`);
      return scope === '*' ? this.items.size === 0 : !this.items.has(scope);
    },
  };

  readonly listing: CacheHooks = {
    ...this.hooks,
    inventory: async (): Promise<CacheHolding[]> => [
      {
        actor: { id: this.holder },
        targets: [...this.items.values()].flat().map((id) => ({ type: 'item', id })),
      },
    ],
  };
}
