import 'fake-indexeddb/auto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEvents, openAuditBuffer, type CacheHooks } from '@tachograph/client-buffer';
import { CATALOGUE } from '@tachograph/wire/schema';
import { admin, createEnrolmentToken } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { readFeed } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('a device that is revoked, by the library and the server as they are', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: join(dir.path, 'data') });
  });
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('uploads, destroys its cache, is confirmed, and closes its log (INV-21)', async () => {
    const items = new Map([['v_1', 3]]);
    const cache: CacheHooks = {
      purge: async () => {
        const count = items.size;
        items.clear();
        return { vaults: count };
      },
      isEmpty: async () => items.size === 0,
      inventory: async () => [
        { actor: { id: 'u_7' }, targets: [...items.keys()].map((id) => ({ type: 'vault', id })) },
      ],
    };
    const audit = openAuditBuffer({
      endpoint: server.url,
      authority: 'localhost',
      tenant: 'demo',
      events: defineEvents({ 'item.reveal': CATALOGUE['item.reveal'].data }),
      cache,
    });
    await audit.enrol({ type: 'token', token: await createEnrolmentToken(server, 'demo') });
    await audit.flush();
    expect(await audit.cacheKey({ scope: 'v_1' })).toMatchObject({ allowed: true });
    await audit.reportInventory();
    const { origin } = audit.status();
    const device = origin!.slice(origin!.lastIndexOf('/') + 1);

    await admin(server, 'POST', `/tenants/demo/devices/${device}/revoke`, { reason: 'left', purge: ['*'] });
    await audit.record('item.reveal', { actor: { id: 'u_7' }, data: { vault: 'v_1', item: 'i_1' } }).durable;
    await audit.flush();
    await eventually('the log closed', async () => (audit.status().purge?.state === 'purged' ? true : null));
    await audit.flush();
    await eventually('revoked', async () => (audit.status().state === 'revoked' ? true : null));
    await audit.flush();

    expect(items.size).toBe(0);
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'revoked' });
    await expect(
      audit.record('item.reveal', { actor: { id: 'u_7' }, data: { vault: 'v_1', item: 'i_2' } }).durable,
    ).rejects.toMatchObject({ code: 'ERR_DEVICE_REVOKED' });
    const feed = await eventually('the confirmation in the feed', async () => {
      const lines = await readFeed(server.dataDir);
      const types = new Set(lines.map(({ type }) => type));
      return types.has('purge.confirmed') && types.has('log.closed') ? lines : null;
    });
    expect(feed.filter(({ source }) => source === origin).map(({ type }) => type)).toEqual([
      'cache.inventory',
      'item.reveal',
      'cache.purge_started',
      'cache.purged',
      'log.closed',
    ]);
    await audit.close();
  });
});
