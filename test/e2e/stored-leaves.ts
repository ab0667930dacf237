import type { Page } from 'puppeteer-core';

/** The bytes of each entry that this profile still holds, by its index: read from IndexedDB past the library. */
export async function storedLeaves(page: Page, tenant: string): Promise<Map<number, Buffer>> {
  const blocks = await page.evaluate(async (name) => {
    const opened = indexedDB.open(name);
    const settled = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result));
        request.addEventListener('error', () => reject(request.error));
      });
    const database = await settled(opened);
    const rows: { first: number; bytes: Uint8Array }[] = await settled(
      database.transaction('blocks').objectStore('blocks').getAll(),
    );
    database.close();
    return rows.map(({ first, bytes }) => ({
      first,
      hex: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    }));
  }, `tachograph:localhost/${tenant}`);
  const leaves = new Map<number, Buffer>();
  for (const { first, hex } of blocks) {
    // Each entry of a block ends with a line feed, and none holds one.
    const lines = Buffer.from(hex, 'hex').toString('latin1').split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) leaves.set(first + i, Buffer.from(line, 'latin1'));
  }
  return leaves;
}
