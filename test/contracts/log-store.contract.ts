import { deviceIdOf, generateEd25519, originOf, parseAuthority, parseTenantId } from '@tachograph/wire';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { packBlocks } from '../../packages/client-buffer/src/core/blocks.ts';
import { newLog } from '../../packages/client-buffer/src/core/rows.ts';
import type { Identity, LogStore } from '../../packages/client-buffer/src/log-store.ts';

/** What every `LogStore` keeps to. `open` answers a store over the same data each time; `reset` begins with new data. */
export function describeLogStore(
  name: string,
  { open, reset }: { open: () => LogStore; reset: () => void },
): void {
  describe(`LogStore contract: ${name}`, () => {
    let store: LogStore;
    beforeEach(() => {
      reset();
      store = open();
    });
    afterEach(() => store.close());

    async function openLog() {
      const { privateKey, publicKey } = await generateEd25519(false);
      const identity: Identity = { device: deviceIdOf(publicKey), publicKey, privateKey };
      const [authority, tenant] = [parseAuthority('audit.example.com'), parseTenantId('acme')];
      if (!authority.ok || !tenant.ok) throw new Error('names');
      const { device } = identity;
      const log = newLog(
        { device, origin: originOf(authority.value, tenant.value, device), publicKey },
        1000,
      );
      await store.transact(() => ({ result: null, rows: { log }, identity }));
      return { identity, log };
    }
    const leaf = (length: number, fill: number) => new Uint8Array(length).fill(fill);

    it('is empty at first', async () => {
      const { rows, blocks } = await store.read();
      expect(rows).toMatchObject({ log: null, gap: null, trust: null, totals: { recorded: 0 } });
      expect(blocks).toEqual([]);
    });

    it('gives back the rows that were put, and leaves the others alone', async () => {
      const { log } = await openLog();
      await store.transact(() => ({
        result: null,
        rows: { gap: { count: 1, from: 2, to: 3, reason: 'full' } },
      }));
      expect((await store.read()).rows).toMatchObject({ log, gap: { count: 1 } });
      await store.transact(() => ({ result: null, rows: { gap: null } }));
      expect((await store.read()).rows.gap).toBeNull();
    });

    it('answers the rows as they are after the transaction', async () => {
      const { result, rows } = await store.transact(() => ({
        result: 7,
        rows: { claim: { tab: 'a', until: 1 } },
      }));
      expect([result, rows.claim]).toEqual([7, { tab: 'a', until: 1 }]);
    });

    it('reads blocks from the one that holds the index on, in order, and no more than asked for', async () => {
      const { log } = await openLog();
      const leaves = Array.from({ length: 6 }, (_, i) => leaf(30_000, 65 + i));
      await store.transact(() => ({ result: null, append: packBlocks(log.device, 0, leaves) }));
      const all = await store.read(() => ({ device: log.device, from: 0, bytesMax: Infinity }));
      expect(all.blocks.map(({ first, end }) => [first, end])).toEqual([
        [0, 2],
        [2, 4],
        [4, 6],
      ]);
      const some = await store.read(() => ({ device: log.device, from: 3, bytesMax: 1 }));
      expect(some.blocks.map(({ first }) => first)).toEqual([2]);
      expect(some.blocks[0]!.bytes[0]).toBe(67);
    });

    it('reads many small blocks past one page', async () => {
      const { log } = await openLog();
      const blocks = Array.from({ length: 150 }, (_, i) => packBlocks(log.device, i, [leaf(10, 65)])).flat();
      await store.transact(() => ({ result: null, append: blocks }));
      const found = await store.read(() => ({ device: log.device, from: 5, bytesMax: Infinity }));
      expect(found.blocks.map(({ first }) => first)).toEqual(blocks.slice(5).map(({ first }) => first));
    });

    it('drops only what ends at or below the size, of that log alone', async () => {
      const { log } = await openLog();
      const other = await openLog();
      const leaves = Array.from({ length: 6 }, () => leaf(30_000, 65));
      await store.transact(() => ({ result: null, append: packBlocks(log.device, 0, leaves) }));
      await store.transact(() => ({ result: null, append: packBlocks(other.log.device, 0, leaves) }));
      await store.transact(() => ({ result: null, drop: { device: log.device, size: 3 } }));
      const left = await store.read(() => ({ device: log.device, from: 0, bytesMax: Infinity }));
      expect(left.blocks.map(({ first }) => first)).toEqual([2, 4]);
      const untouched = await store.read(() => ({ device: other.log.device, from: 0, bytesMax: Infinity }));
      expect(untouched.blocks).toHaveLength(3);
    });

    it('writes nothing when the plan throws, and rethrows just that', async () => {
      const { log } = await openLog();
      const error = new Error('plan');
      await expect(
        store.transact(() => {
          throw error;
        }),
      ).rejects.toBe(error);
      expect((await store.read()).rows.log).toEqual(log);
    });

    it('serialises transactions: of two that both find nothing, the second sees the first', async () => {
      const claim = (tab: string) =>
        store.transact(({ rows }) =>
          rows.claim === null
            ? { result: tab, rows: { claim: { tab, until: 1 } } }
            : { result: rows.claim.tab },
        );
      const [first, second] = await Promise.all([claim('a'), claim('b')]);
      expect([first.result, second.result]).toEqual(['a', 'a']);
    });

    it('keeps a key that signs and cannot be read', async () => {
      const { identity } = await openLog();
      const found = await store.identity(identity.device);
      expect(found?.privateKey.extractable).toBe(false);
      const signature = await crypto.subtle.sign('Ed25519', found!.privateKey, new Uint8Array([1]));
      expect(signature.byteLength).toBe(64);
      const { device } = (await openLog()).identity;
      expect((await store.identity(device))?.device).toBe(device);
    });

    it('keeps a cache key that cannot be read, until it is dropped in one transaction with the rows', async () => {
      const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
        'encrypt',
        'decrypt',
      ]);
      const put = (scope: string) => store.transact(() => ({ result: null, cacheKey: { scope, key } }));
      await put('v_1');
      await put('log');
      const found = await store.cacheKey('v_1');
      expect([found?.extractable, found?.algorithm.name]).toEqual([false, 'AES-GCM']);
      // A scope is the app's own word, also where a row has that name.
      expect(await store.cacheKey('log')).not.toBeNull();
      expect(await store.cacheKey('totals')).toBeNull();
      expect((await store.read()).rows.log).toBeNull();
      const drop = { dropCacheKeys: ['v_1', 'v_9'], rows: { claim: { tab: 'a', until: 1 } } };
      await store.transact(() => ({ result: null, ...drop }));
      expect(await store.cacheKey('v_1')).toBeNull();
      expect(await store.cacheKey('log')).not.toBeNull();
      expect((await store.read()).rows.claim).toEqual({ tab: 'a', until: 1 });
    });

    it('drops the keys of logs, and only those that are named', async () => {
      const [first, second] = [await openLog(), await openLog()];
      await store.transact(() => ({ result: null, dropIdentities: [first.identity.device] }));
      expect(await store.identity(first.identity.device)).toBeNull();
      expect(await store.identity(second.identity.device)).not.toBeNull();
    });

    it('gives everything back to whoever opens it again', async () => {
      if (!store.durable) return;
      const { identity, log } = await openLog();
      await store.transact(() => ({ result: null, append: packBlocks(log.device, 0, [leaf(9, 65)]) }));
      store.close();
      store = open();
      const { rows, blocks } = await store.read(() => ({ device: log.device, from: 0, bytesMax: 1 }));
      expect(rows.log).toEqual(log);
      expect(blocks).toHaveLength(1);
      expect((await store.identity(identity.device))?.device).toBe(identity.device);
    });
  });
}
