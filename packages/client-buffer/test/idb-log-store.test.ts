import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, describe, expect, it } from '@jest/globals';
import { packBlocks } from '../src/core/blocks.ts';
import { IdbLogStore } from '../src/idb-log-store.ts';
import { describeLogStore } from '../../../test/contracts/log-store.contract.ts';
import { actor, codeOf, FakeClock, makeWorld, record } from './support/harness.ts';

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

  it('asks for strict durability in every transaction (INV-01)', async () => {
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
    await store.transact(() => ({ result: null, append: packBlocks(device, 0, [new Uint8Array(3)]) }));
    // Another leaf in the same place: `add` fails, and the row beside it is not kept.
    const append = packBlocks(device, 0, [Uint8Array.of(1, 2, 3)]);
    expect(
      await codeOf(store.transact(() => ({ result: null, append, rows: { claim: { tab: 'a', until: 1 } } }))),
    ).toBe('ERR_STORAGE');
    expect((await store.read()).rows.claim).toBeNull();
    store.close();
  });

  /** From the next one on, `count` transactions that write are committed, and whoever waits for them is told that they aborted. */
  function loseCompletes(count: number): () => void {
    let left = count;
    return onTransaction((original) => {
      const transaction = original();
      if (transaction.mode !== 'readwrite' || left-- <= 0) return transaction;
      const add = transaction.addEventListener.bind(transaction);
      const aborts: (() => void)[] = [];
      const listen = (type: string, listener: () => void): void => {
        if (type === 'abort') aborts.push(listener);
        else add(type, type === 'complete' ? () => aborts.forEach((told) => told()) : listener);
      };
      Object.defineProperty(transaction, 'addEventListener', { value: listen });
      return transaction;
    });
  }

  it('writes entries once where a commit lands and only its `complete` is lost with the handle (INV-01)', async () => {
    const world = await makeWorld(open());
    const audit = world.open();
    await record(audit, 1);
    const restore = loseCompletes(2);
    const [entry] = await record(audit, 3);
    restore();
    expect((await entry!.durable).index).toBe(1);
    expect(audit.status().ledger).toMatchObject({ recorded: 4, durable: 4, gap: 0 });
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    expect(world.ingest.device.leaves).toHaveLength(4);
    await audit.close();
  });

  it('counts refused events once where only the `complete` of their commit is lost', async () => {
    const world = await makeWorld(open());
    const audit = world.open({ bytesMax: 1 });
    await codeOf(audit.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable);
    const restore = loseCompletes(1);
    expect(await codeOf(audit.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable)).toBe(
      'ERR_BUFFER_FULL',
    );
    restore();
    expect(audit.status().ledger).toMatchObject({ recorded: 2, durable: 0, gap: 2 });
    await audit.close();
  });

  it('plans anew where the attempt before did not land', async () => {
    const store = open();
    await store.read();
    let planned = 0;
    let aborts = 1;
    const restore = onTransaction((original) => {
      const transaction = original();
      // In the background of iOS a transaction ends like this.
      if (aborts-- > 0) queueMicrotask(() => transaction.abort());
      return transaction;
    });
    const { rows } = await store.transact(() => ({
      result: ++planned,
      rows: { claim: { tab: 'a', until: 1 } },
    }));
    restore();
    expect(rows.claim?.tab).toBe('a');
    expect((await store.read()).rows.claim?.tab).toBe('a');
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
