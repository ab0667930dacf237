const DATABASE = 'tachograph-demo-vault';
const STORE = 'items';

/** One item as it lies on the disk: without the key of its scope nobody can read it, not even its name. */
export type SealedItem = {
  readonly id: string;
  /** The vault that it belongs to: the scope of its key. */
  readonly scope: string;
  /** Its place in the list. */
  readonly place: number;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
};

/** The offline cache of the demo: IndexedDB of its own, beside that of the audit buffer. */
export type SealedItems = {
  /** In the order of the list. */
  readonly all: () => Promise<readonly SealedItem[]>;
  readonly put: (items: readonly SealedItem[]) => Promise<void>;
  /** Deletes what is under `scope` (`*` is everything), and answers how much that was. */
  readonly remove: (scope: string) => Promise<number>;
};

/** Opens the database at its first use. */
export function sealedItems(): SealedItems {
  let opened: Promise<IDBDatabase> | null = null;
  const items = async (mode: IDBTransactionMode): Promise<IDBObjectStore> => {
    opened ??= open();
    const database = await opened;
    return database.transaction(STORE, mode, { durability: 'strict' }).objectStore(STORE);
  };
  const all = async (): Promise<readonly SealedItem[]> => {
    const rows = await settled<SealedItem[]>((await items('readonly')).getAll());
    return rows.toSorted((a, b) => a.place - b.place);
  };
  return {
    all,
    put: async (rows) => {
      const store = await items('readwrite');
      for (const row of rows) store.put(row);
      await completed(store.transaction);
    },
    remove: async (scope) => {
      const gone = (await all()).filter((row) => scope === '*' || row.scope === scope);
      const store = await items('readwrite');
      for (const { id } of gone) store.delete(id);
      await completed(store.transaction);
      return gone.length;
    },
  };
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE, { keyPath: 'id' }));
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('the cache cannot be read')));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    for (const end of ['abort', 'error'] as const)
      transaction.addEventListener(end, () =>
        reject(transaction.error ?? new Error('the cache cannot be written')),
      );
  });
}
