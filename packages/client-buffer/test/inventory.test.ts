import { describe, expect, it } from '@jest/globals';
import { AppCache } from './support/app-cache.ts';
import { codeOf, makeWorld, until, type World } from './support/harness.ts';

const inventories = ({ ingest }: World) =>
  ingest
    .eventsOf(ingest.device)
    .filter(({ action }) => action === 'cache.inventory')
    .map((event) => {
      const { actor, targets = [] } = event as typeof event & {
        actor: { id: string };
        targets?: { id: string }[];
      };
      return [actor.id, targets.map(({ id }) => id)];
    });

async function page() {
  const world = await makeWorld();
  const app = new AppCache();
  const audit = world.open({ cache: app.listing });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  return { world, app, audit };
}

describe('the inventory of a cache', () => {
  it('is recorded under who holds it, once for what is held, and again when that changes', async () => {
    const { world, app, audit } = await page();
    await audit.reportInventory();
    app.fill('v_1', 2);
    await audit.reportInventory();
    await audit.reportInventory();
    app.fill('v_2', 1);
    await audit.reportInventory();
    app.items.clear();
    await audit.reportInventory();
    await audit.flush();
    const { device } = (await world.store.read()).rows.log!;
    expect(inventories(world)).toEqual([
      ['u_7', ['v_1-item-0', 'v_1-item-1']],
      ['u_7', ['v_1-item-0', 'v_1-item-1', 'v_2-item-0']],
      [device, []],
    ]);
    await audit.close();
  });

  it('is asked for at opening and while the page is open, without being told', async () => {
    const { world, app, audit } = await page();
    app.fill('v_1', 1);
    await audit.close();
    const next = world.open({ cache: app.listing });
    await until(() => next.status().ledger.recorded === 1, 'at opening');
    app.fill('v_1', 2);
    world.clock.advance(15 * 60_000);
    await until(() => next.status().ledger.recorded === 2, 'after a quarter of an hour');
    await next.flush();
    expect(inventories(world)).toHaveLength(2);
    await next.close();
  });

  it('that cannot be had breaks nothing else, and tells whoever asked', async () => {
    const { world, audit } = await page();
    await audit.close();
    const app = new AppCache();
    const broken = world.open({
      cache: { ...app.hooks, inventory: () => Promise.reject(new TypeError('no database')) },
    });
    await expect(broken.reportInventory()).rejects.toThrow('no database');
    expect((await broken.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    await broken.close();
    const named = world.open({
      cache: {
        ...app.hooks,
        inventory: async () => [{ actor: { id: '' }, targets: [{ type: 'item', id: 'i' }] }],
      },
    });
    expect(await codeOf(named.reportInventory())).toBe('ERR_EVENT_INVALID');
    await named.close();
  });
});
