import type { DeviceId } from '@tachograph/wire';
import type { Block } from './core/blocks.ts';
import { EMPTY_ROWS, type Rows } from './core/rows.ts';
import type { BlockQuery, Change, Identity, LogStore, Select, Snapshot } from './log-store.ts';

/** A store that lives and dies with the page: what is left where the browser stores nothing. */
export class MemoryLogStore implements LogStore {
  readonly durable: boolean = false;
  #rows: Rows = EMPTY_ROWS;
  #blocks: Block[] = [];
  readonly #identities = new Map<DeviceId, Identity>();
  readonly #cacheKeys = new Map<string, CryptoKey>();

  async read(select?: Select): Promise<Snapshot> {
    return this.#snapshot(select);
  }

  async transact<T>(
    plan: (snapshot: Snapshot) => Change<T>,
    select?: Select,
  ): Promise<{ result: T; rows: Rows }> {
    const change = plan(this.#snapshot(select));
    this.#rows = { ...this.#rows, ...change.rows };
    const { drop, identity } = change;
    if (drop !== undefined)
      this.#blocks = this.#blocks.filter(({ device, end }) => device !== drop.device || end > drop.size);
    this.#blocks.push(...(change.append ?? []));
    if (identity !== undefined) this.#identities.set(identity.device, identity);
    for (const device of change.dropIdentities ?? []) this.#identities.delete(device);
    for (const scope of change.dropCacheKeys ?? []) this.#cacheKeys.delete(scope);
    if (change.cacheKey !== undefined) this.#cacheKeys.set(change.cacheKey.scope, change.cacheKey.key);
    return { result: change.result, rows: this.#rows };
  }

  async identity(device: DeviceId): Promise<Identity | null> {
    return this.#identities.get(device) ?? null;
  }

  async cacheKey(scope: string): Promise<CryptoKey | null> {
    return this.#cacheKeys.get(scope) ?? null;
  }

  close(): void {
    this.#blocks = [];
  }

  #snapshot(select?: Select): Snapshot {
    const query = select?.(this.#rows) ?? null;
    return { rows: this.#rows, blocks: query === null ? [] : this.#find(query) };
  }

  #find({ device, from, bytesMax }: BlockQuery): Block[] {
    const found: Block[] = [];
    let bytes = 0;
    for (const block of this.#blocks.toSorted((a, b) => a.end - b.end)) {
      if (block.device !== device || block.end <= from || bytes >= bytesMax) continue;
      found.push(block);
      bytes += block.bytes.length;
    }
    return found;
  }
}
