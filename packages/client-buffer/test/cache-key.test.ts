import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { IdbLogStore } from '../src/idb-log-store.ts';
import { AppCache } from './support/app-cache.ts';
import { codeOf, FakeClock, makeWorld, record, until, type TestBuffer } from './support/harness.ts';

const clock = new FakeClock();
const openStore = () => new IdbLogStore('tachograph:keys', { openTimeoutMs: 10_000, timers: clock.timers });

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

async function leased() {
  const world = await makeWorld();
  const app = new AppCache();
  const open = () => world.open({ store: openStore(), cache: app.hooks });
  const audit = open();
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  return { world, app, audit, open };
}

async function keyOf(audit: TestBuffer, scope = 'v_1'): Promise<CryptoKey> {
  const access = await audit.cacheKey({ scope });
  if (!access.allowed) throw new Error(access.reason);
  return access.key;
}

const iv = new Uint8Array(12);
const encrypt = async (key: CryptoKey) =>
  new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode('s3cret')),
  );
const decrypt = async (key: CryptoKey, bytes: Uint8Array<ArrayBuffer>) =>
  new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes));

describe('a cache key, over IndexedDB', () => {
  it('decrypts in every page what one has encrypted, and shows itself to none', async () => {
    const { audit, open } = await leased();
    const key = await keyOf(audit);
    const stored = await encrypt(key);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow(/extractable/);
    await audit.close();
    const next = open();
    expect(await decrypt(await keyOf(next), stored)).toBe('s3cret');
    await expect(decrypt(await keyOf(next, 'v_2'), stored)).rejects.toMatchObject({ name: 'OperationError' });
    await next.close();
  });

  it('is one key, whichever of two tabs asks first', async () => {
    const { audit, open } = await leased();
    const other = open();
    const keys = await Promise.all([keyOf(audit), keyOf(other), keyOf(audit), keyOf(other)]);
    const stored = await encrypt(keys[0]);
    for (const key of keys) expect(await decrypt(key, stored)).toBe('s3cret');
    await Promise.all([audit.close(), other.close()]);
  });

  it('is not made without a lease', async () => {
    const world = await makeWorld();
    const audit = world.open({ store: openStore() });
    expect(await audit.cacheKey({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'no-lease' });
    expect(await openStore().cacheKey('v_1')).toBeNull();
    expect(await codeOf(audit.cacheKey({ scope: 'a,b' }))).toBe('ERR_CONFIG');
    await audit.close();
  });

  it('is gone with a purge: the next one decrypts nothing that was encrypted before', async () => {
    const { world, app, audit } = await leased();
    app.fill();
    const stored = await encrypt(await keyOf(audit));
    await world.ingest.orders.order(world.ingest.device.origin, world.ingest.directive);
    await record(audit, 1);
    await audit.flush();
    await until(() => app.isEmpty && audit.status().purge === null, 'purged, and a later lease');
    await expect(decrypt(await keyOf(audit), stored)).rejects.toMatchObject({ name: 'OperationError' });
    await audit.close();
  });
});
