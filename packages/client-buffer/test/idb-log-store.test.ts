import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, describe, expect, it } from '@jest/globals';
import { packBlocks } from '../src/core/blocks.ts';
import { IdbLogStore } from '../src/idb-log-store.ts';
import { describeLogStore } from '../../../test/contracts/log-store.contract.ts';
import { codeOf, FakeClock } from './support/harness.ts';

const clock = new FakeClock();
const open = () => new IdbLogStore('tachograph:test', { openTimeoutMs: 10_000, timers: clock.timers });
const reset = () => {
  globalThis.indexedDB = new IDBFactory();
};

describeLogStore('IndexedDB', { open, reset });

describe('IndexedDB that misbehaves', () => {
  afterEach(reset);

  /** Replaces `transaction` on every database, until the answer is called. */
  function onTransaction(replace: (original: () => IDBTransaction) => IDBTransaction): () => void {
    const { prototype } = IDBDatabase;
    const original: PropertyDescriptor & { value?: (...args: unknown[]) => IDBTransaction } =
      Object.getOwnPropertyDescriptor(prototype, 'transaction')!;
    Object.defineProperty(prototype, 'transaction', {
      ...original,
      value(this: IDBDatabase, ...args: unknown[]) {
        return replace(() => original.value!.apply(this, args));
      },
    });
    return () => Object.defineProperty(prototype, 'transaction', original);
  }

  it('asks for strict durability in every transaction', async () => {
    const asked: unknown[] = [];
    const { prototype } = IDBDatabase;
    const original: PropertyDescriptor & { value?: (...args: unknown[]) => IDBTransaction } =
      Object.getOwnPropertyDescriptor(prototype, 'transaction')!;
    Object.defineProperty(prototype, 'transaction', {
      ...original,
      value(this: IDBDatabase, ...args: unknown[]) {
        asked.push(args[2]);
        return original.value!.apply(this, args);
      },
    });
    const store = open();
    await store.transact(() => ({ result: null, rows: { claim: { tab: 'a', until: 1 } } }));
    Object.defineProperty(prototype, 'transaction', original);
    expect(asked).toEqual([{ durability: 'strict' }]);
    store.close();
  });

  it('drops a dead handle and opens anew', async () => {
    const store = open();
    await store.read();
    let dead = 1;
    const restore = onTransaction((original) => {
      if (dead-- > 0) throw new DOMException('The database connection is closing.', 'InvalidStateError');
      return original();
    });
    const { rows } = await store.transact(() => ({ result: null, rows: { claim: { tab: 'a', until: 1 } } }));
    restore();
    expect(rows.claim?.tab).toBe('a');
    store.close();
  });

  it('gives up on a handle that stays dead, after a bounded number of attempts', async () => {
    const store = open();
    await store.read();
    let attempts = 0;
    const restore = onTransaction(() => {
      attempts++;
      throw new DOMException('Connection to Indexed Database server lost.', 'UnknownError');
    });
    expect(await codeOf(store.read())).toBe('ERR_STORAGE');
    restore();
    expect(attempts).toBe(3);
    expect((await store.read()).rows.log).toBeNull();
    store.close();
  });

  it('tells a full disk by the name of the error, once, and stays usable', async () => {
    const store = open();
    await store.read();
    let attempts = 0;
    const restore = onTransaction(() => {
      attempts++;
      throw new DOMException('full', 'QuotaExceededError');
    });
    expect(await codeOf(store.read())).toBe('ERR_STORAGE_FULL');
    restore();
    expect(attempts).toBe(1);
    expect((await store.read()).rows.log).toBeNull();
    store.close();
  });

  it('does not count what was written before a transaction aborted', async () => {
    const store = open();
    const device = 'd' as Parameters<typeof packBlocks>[0];
    const block = packBlocks(device, 0, [new Uint8Array(3)]);
    await store.transact(() => ({ result: null, append: block }));
    // The same place a second time: `add` fails, and the row beside it is not kept.
    expect(
      await codeOf(
        store.transact(() => ({ result: null, append: block, rows: { claim: { tab: 'a', until: 1 } } })),
      ),
    ).toBe('ERR_STORAGE');
    expect((await store.read()).rows.claim).toBeNull();
    store.close();
  });

  it('does not wait for an open() that never settles', async () => {
    const store = open();
    const original = indexedDB.open.bind(indexedDB);
    indexedDB.open = () =>
      Object.create(IDBOpenDBRequest.prototype, {
        addEventListener: { value: () => undefined },
        removeEventListener: { value: () => undefined },
      }) as IDBOpenDBRequest;
    const reading = codeOf(store.read());
    clock.advance(10_000);
    expect(await reading).toBe('ERR_STORAGE');
    indexedDB.open = original;
    expect((await store.read()).rows.log).toBeNull();
    store.close();
  });
});
