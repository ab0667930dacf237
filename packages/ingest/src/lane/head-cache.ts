import { loadHeads, logId, type Head, type LogKey } from '../registry/heads.ts';
import type { Db } from '../registry/registry.ts';

const HEADS_MAX = 20_000;

/**
 * The heads that a lane knows without asking. They are right as long as the registry's settled offset is the
 * lane's own, which every write compares first.
 */
export class HeadCache {
  readonly #heads = new Map<string, Head>();

  clear(): void {
    this.#heads.clear();
  }

  set(key: LogKey, head: Head): void {
    const id = logId(key);
    // Set anew, it is the youngest again: what falls out is what was not needed for longest.
    this.#heads.delete(id);
    this.#heads.set(id, head);
    if (this.#heads.size <= HEADS_MAX) return;
    for (const oldest of this.#heads.keys()) {
      this.#heads.delete(oldest);
      return;
    }
  }

  /** Sets those of `keys` that `heads` has, by {@link logId}. */
  setAll(keys: readonly LogKey[], heads: ReadonlyMap<string, Head>): void {
    for (const key of keys) {
      const head = heads.get(logId(key));
      if (head !== undefined) this.set(key, head);
    }
  }

  /** The heads of `keys` by {@link logId}; a log without one is not in it. */
  async load(db: Db, keys: readonly LogKey[]): Promise<Map<string, Head>> {
    const wanted = new Map(keys.map((key) => [logId(key), key]));
    const heads = new Map<string, Head>();
    const missing: LogKey[] = [];
    for (const [id, key] of wanted) {
      const known = this.#heads.get(id);
      if (known === undefined) missing.push(key);
      else heads.set(id, known);
    }
    if (missing.length === 0) return heads;
    const loaded = await loadHeads(db, missing);
    for (const key of missing) {
      const head = loaded.get(logId(key));
      if (head === undefined) continue;
      heads.set(logId(key), head);
      this.set(key, head);
    }
    return heads;
  }
}
