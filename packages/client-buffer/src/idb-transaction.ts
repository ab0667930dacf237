import type { DBSchema, IDBPTransaction } from 'idb';
import { bytesEqual, type DeviceId } from '@tachograph/wire';
import type { Block } from './core/blocks.ts';
import { EMPTY_ROWS, type Rows } from './core/rows.ts';
import type { BlockQuery, Change, Identity, Select, Snapshot } from './log-store.ts';

export interface Schema extends DBSchema {
  /** The rows, each under its name; and the cache keys, which are read one at a time and only when they are asked for. */
  rows: { key: keyof Rows | CacheKeyName; value: NonNullable<Rows[keyof Rows]> | CryptoKey };
  /** Keyed by where a block ends: receipts delete, and replay reads, by one key range. */
  blocks: { key: [DeviceId, number]; value: Block };
  identities: { key: DeviceId; value: Identity };
}
type CacheKeyName = `cache-key ${string}`;
type Stores = ('rows' | 'blocks' | 'identities')[];
export type Transaction<Mode extends IDBTransactionMode> = IDBPTransaction<Schema, Stores, Mode>;

export const STORES: Stores = ['rows', 'blocks', 'identities'];
const ROW_NAMES = Object.keys(EMPTY_ROWS) as (keyof Rows)[];
/** Blocks read at a time while looking for enough bytes. */
const PAGE_BLOCKS = 64;

/** The rows, and the blocks that `select` asks for, in the order of the log. */
export async function snapshotOf(
  transaction: Transaction<'readonly' | 'readwrite'>,
  select?: Select,
): Promise<Snapshot> {
  const store = transaction.objectStore('rows');
  const values = await Promise.all(ROW_NAMES.map((name) => store.get(name)));
  const found = ROW_NAMES.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]]]));
  const rows = { ...EMPTY_ROWS, ...Object.fromEntries(found) } as Rows;
  const query = select?.(rows) ?? null;
  return { rows, blocks: query === null ? [] : await findBlocks(transaction, query) };
}

async function findBlocks(
  transaction: Transaction<'readonly' | 'readwrite'>,
  { device, from, bytesMax }: BlockQuery,
): Promise<Block[]> {
  const store = transaction.objectStore('blocks');
  const found: Block[] = [];
  let [bytes, after] = [0, from];
  while (bytes < bytesMax) {
    const page = await store.getAll(
      IDBKeyRange.bound([device, after], [device, Infinity], true),
      PAGE_BLOCKS,
    );
    for (const block of page) {
      if (bytes >= bytesMax) break;
      found.push(block);
      bytes += block.bytes.length;
      after = block.end;
    }
    if (page.length < PAGE_BLOCKS) break;
  }
  return found;
}

/** A scope holds no space, so that no scope's key can be taken for a row or for another scope's. */
export function cacheKeyName(scope: string): CacheKeyName {
  return `cache-key ${scope}`;
}

/** Asks for everything that `change` writes. Whether it was done, the end of the transaction says. */
export function write<T>(transaction: Transaction<'readwrite'>, change: Change<T>): void {
  const requests: Promise<unknown>[] = [];
  const rows = transaction.objectStore('rows');
  for (const name of ROW_NAMES) {
    const row = change.rows?.[name];
    if (row === undefined) continue;
    requests.push(row === null ? rows.delete(name) : rows.put(row, name));
  }
  const blocks = transaction.objectStore('blocks');
  if (change.drop !== undefined) {
    const { device, size } = change.drop;
    requests.push(blocks.delete(IDBKeyRange.bound([device, 0], [device, size])));
  }
  // `add`, not `put`: two leaves can never take one place.
  for (const block of change.append ?? []) requests.push(blocks.add(block));
  const identities = transaction.objectStore('identities');
  if (change.identity !== undefined) requests.push(identities.add(change.identity));
  for (const device of change.dropIdentities ?? []) requests.push(identities.delete(device));
  for (const scope of change.dropCacheKeys ?? []) requests.push(rows.delete(cacheKeyName(scope)));
  if (change.cacheKey !== undefined)
    requests.push(rows.put(change.cacheKey.key, cacheKeyName(change.cacheKey.scope)));
  // A failed request aborts the transaction, and its `done` says so: nothing is learned from each alone.
  for (const request of requests) request.catch(() => undefined);
}

/**
 * Whether `change` is in the store already. Leaves are never written twice for it: each holds an id of its own, so a
 * block with the same bytes in the same place is that very block. A commit of nothing but refused events is known by the
 * counts; whatever else is planned can be planned again.
 */
export async function hasLanded<T>(
  transaction: Transaction<'readwrite'>,
  { append, rows }: Change<T>,
  now: Rows,
): Promise<boolean> {
  const [block] = append ?? [];
  if (block === undefined)
    return rows?.gap !== undefined && JSON.stringify(rows.totals) === JSON.stringify(now.totals);
  const stored = await transaction.objectStore('blocks').get([block.device, block.end]);
  return stored !== undefined && bytesEqual(stored.bytes, block.bytes);
}
