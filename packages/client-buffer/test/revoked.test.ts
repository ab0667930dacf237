import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { AppCache } from './support/app-cache.ts';
import { actor, codeOf, makeWorld, record, until, type World } from './support/harness.ts';

async function page() {
  const world = await makeWorld();
  const app = new AppCache();
  const audit = world.open({ cache: app.hooks });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  app.fill();
  return { world, app, audit };
}

/** What an administrator does: no lease any more, and an order with every answer. */
async function revoke({ ingest }: World, scopes: readonly string[] = ['*']): Promise<void> {
  ingest.device.status = 'revoked';
  if (scopes.length > 0) await ingest.orders.order(ingest.device.origin, ingest.directive, { scopes });
}

const actions = ({ ingest }: World) => ingest.eventsOf(ingest.device).map(({ action }) => action);

describe('a revoked device', () => {
  it('sends what it recorded, destroys its cache, closes its log, and loses its key with the last receipt', async () => {
    const { world, app, audit } = await page();
    const { device } = (await world.store.read()).rows.log!;
    world.network.offline();
    await record(audit, 3);
    await revoke(world);
    world.network.online();
    world.clock.advance(301_000);
    await audit.flush();
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    await audit.flush();
    await until(() => audit.status().ledger.pending === 0, 'sent');
    expect(app.isEmpty).toBe(true);
    expect(actions(world)).toEqual([
      ...Array.from({ length: 3 }, () => 'item.reveal'),
      'cache.purge_started',
      'cache.purged',
      'log.closed',
    ]);
    expect(await world.store.identity(device)).toBeNull();
    expect(audit.status().state).toBe('revoked');
    const late = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect([await codeOf(late.durable), await codeOf(late.accepted)]).toEqual([
      'ERR_DEVICE_REVOKED',
      'ERR_DEVICE_REVOKED',
    ]);
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'revoked' });
    // Nothing is left to ask for: not now, and not at any check-in.
    const { sent } = world.network;
    await audit.flush();
    world.clock.advance(3_600_000);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(world.network.sent).toBe(sent);
    await audit.close();
  });

  it('keeps the key while anything is unsent, also over a restart', async () => {
    const { world, app, audit } = await page();
    const { device } = (await world.store.read()).rows.log!;
    await revoke(world);
    world.clock.advance(301_000);
    app.before = () => world.network.offline();
    await codeOf(audit.flush());
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    await until(() => audit.status().state === 'revoked', 'known to be revoked');
    expect(await world.store.identity(device)).not.toBeNull();
    await audit.close();
    const next = world.open({ cache: app.hooks });
    expect(await codeOf(next.record('item.reveal', { actor, data: { vault: 'v' } }).durable)).toBe(
      'ERR_DEVICE_REVOKED',
    );
    world.network.online();
    await next.flush();
    expect(await world.store.identity(device)).toBeNull();
    expect(next.status().ledger.pending).toBe(0);
    await next.close();
    // And a page that opens a spent log finds no key, and nothing wrong with that.
    const last = world.open({ cache: app.hooks });
    await last.flush();
    expect(last.status()).toMatchObject({ state: 'revoked', problem: null });
    await last.close();
  });

  it('that is to destroy nothing is refused offline use, and goes on recording', async () => {
    const { world, app, audit } = await page();
    await revoke(world, []);
    world.clock.advance(301_000);
    await audit.flush();
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'revoked' });
    expect(audit.status().state).toBe('revoked');
    await record(audit, 2);
    await audit.flush();
    expect(world.ingest.device.leaves).toHaveLength(2);
    expect(app.isEmpty).toBe(false);
    await audit.close();
  });

  it('that is to destroy some scopes keeps its log open as well', async () => {
    const { world, audit } = await page();
    await revoke(world, ['v_1']);
    world.clock.advance(301_000);
    await audit.flush();
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    await record(audit, 1);
    await audit.flush();
    expect(actions(world)).not.toContain('log.closed');
    await audit.close();
  });

  it('that is approved again in time gets a lease, and records as before', async () => {
    const { world, audit } = await page();
    await revoke(world, []);
    world.clock.advance(301_000);
    await audit.flush();
    world.ingest.device.status = 'enrolled';
    world.clock.advance(301_000);
    await audit.flush();
    expect(audit.status().state).toBe('online');
    expect((await audit.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    await audit.close();
  });

  it('is not what ingest alone can make of it: without a directive its word closes no log', async () => {
    const { world, app, audit } = await page();
    await world.ingest.orders.order(world.ingest.device.origin, world.ingest.lessor);
    world.ingest.device.status = 'revoked';
    world.clock.advance(301_000);
    await audit.flush();
    await record(audit, 1);
    await audit.flush();
    expect(actions(world)).toEqual(['item.reveal']);
    expect(app.isEmpty).toBe(false);
    await audit.close();
  });

  it('a purge without revocation closes nothing', async () => {
    const { world, audit } = await page();
    await world.ingest.orders.order(world.ingest.device.origin, world.ingest.directive);
    await record(audit, 1);
    await audit.flush();
    await until(() => audit.status().purge === null && audit.status().ledger.pending === 0, 'open again');
    // Revoked later, for another reason: what was carried out before the lease in between closes nothing.
    await revoke(world, []);
    world.clock.advance(301_000);
    await audit.flush();
    await record(audit, 1);
    await audit.flush();
    expect(actions(world)).not.toContain('log.closed');
    await audit.close();
  });

  it('tells every tab: another one that has events in hand refuses them as well', async () => {
    const { world, app, audit } = await page();
    const other = world.open({ cache: app.hooks });
    await other.flush();
    await revoke(world);
    world.clock.advance(301_000);
    await audit.flush();
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    await audit.flush();
    const codes = await Promise.all(
      Array.from({ length: 3 }, () =>
        codeOf(other.record('item.reveal', { actor, data: { vault: 'v' } }).durable),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['ERR_DEVICE_REVOKED']));
    const { ledger } = other.status();
    expect(ledger.recorded).toBe(ledger.waiting + ledger.durable + ledger.gap);
    await Promise.all([audit.close(), other.close()]);
  });

  it('whoever is taken on again enrols as a new device, whose first lease opens the cache', async () => {
    const { world, app, audit } = await page();
    const first = audit.status().origin;
    await revoke(world);
    world.clock.advance(301_000);
    await audit.flush();
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    await audit.flush();
    await until(() => audit.status().ledger.pending === 0, 'sent');
    world.ingest.tokens.add('token-2');
    expect(await audit.enrol({ type: 'token', token: 'token-2' })).toBe('enrolled');
    expect(audit.status().origin).not.toBe(first);
    await record(audit, 1);
    await audit.flush();
    expect((await audit.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    expect(world.ingest.devices.size).toBe(2);
    expect(actions(world)).toEqual(['item.reveal']);
    expect(app.isEmpty).toBe(true);
    await audit.close();
  });
});
