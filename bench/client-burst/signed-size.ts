type LogRow = { readonly checkpoint: { readonly size: number } | null };

/** Resolves once the newest signed checkpoint in the store named `name` covers `size` entries. Nothing of the library waits for it. */
export async function untilSigned(name: string, size: number): Promise<void> {
  const database = await settled(indexedDB.open(name));
  for (;;) {
    const log: LogRow | undefined = await settled(
      database.transaction('rows').objectStore('rows').get('log'),
    );
    if ((log?.checkpoint?.size ?? 0) >= size) break;
  }
  database.close();
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('the request failed')));
  });
}
