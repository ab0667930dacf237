import type { Bytes, DeviceId } from '@tachograph/wire';
import type { Block } from './core/blocks.ts';
import type { Rows } from './core/rows.ts';

/** A device's key. `privateKey` is non-extractable; the store keeps the handle, never the key's bytes. */
export type Identity = {
  readonly device: DeviceId;
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
};

/** Blocks that hold leaves from `from` on, until they sum up to `bytesMax`, and at least one where there is any. */
export type BlockQuery = { readonly device: DeviceId; readonly from: number; readonly bytesMax: number };

/** Says which blocks to read, from the rows of the same snapshot. */
export type Select = (rows: Rows) => BlockQuery | null;

export type Snapshot = { readonly rows: Rows; readonly blocks: readonly Block[] };

/** What a transaction writes. `rows` replaces the rows that it names. */
export type Change<T> = {
  readonly result: T;
  readonly rows?: Partial<Rows>;
  readonly append?: readonly Block[];
  /** Deletes the blocks of `device` that end at or below `size`. */
  readonly drop?: { readonly device: DeviceId; readonly size: number };
  readonly identity?: Identity;
  /** Deletes the keys of these logs: nothing is signed for them any more. */
  readonly dropIdentities?: readonly DeviceId[];
  /** Puts the key of a scope of the app's cache. The store keeps the handle, never the key's bytes. */
  readonly cacheKey?: { readonly scope: string; readonly key: CryptoKey };
  /** Deletes the cache keys of these scopes. */
  readonly dropCacheKeys?: readonly string[];
};

/**
 * Port: where a log lives on the device. Transactions are serialised over every tab that has the store open.
 */
export type LogStore = {
  /** Whether what is committed survives the page. */
  readonly durable: boolean;
  /** One consistent snapshot. */
  read(select?: Select): Promise<Snapshot>;
  /**
   * One transaction: read, `plan`, write. `plan` is synchronous, because an `await` on anything but the store would end
   * an IndexedDB transaction. Success means committed and flushed to disk (`strict`), with the rows as they are
   * then; failure means that nothing was written. What `plan` throws is rethrown and nothing is written.
   * @throws AuditBufferError ERR_STORAGE_FULL, ERR_STORAGE (`cause` keeps the DOMException)
   */
  transact<T>(
    plan: (snapshot: Snapshot) => Change<T>,
    select?: Select,
  ): Promise<{ readonly result: T; readonly rows: Rows }>;
  /** The key of a log, or `null`. */
  identity(device: DeviceId): Promise<Identity | null>;
  /** The cache key of a scope, or `null`. */
  cacheKey(scope: string): Promise<CryptoKey | null>;
  close(): void;
};
