import { describe, expect, it } from '@jest/globals';
import { AppCache } from './support/app-cache.ts';
import { makeWorld, record, until, type World } from './support/harness.ts';

async function orderedPage() {
  const world = await makeWorld();
  const app = new AppCache();
  const audit = world.open({ cache: app.hooks });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  app.fill();
  await audit.cacheKey({ scope: 'v_1' });
  return { world, app, audit };
}

const order = ({ ingest }: World) => ingest.orders.order(ingest.device.origin, ingest.directive);
const confirmed = ({ ingest }: World) => ingest.orders.openFor(ingest.device.origin).length === 0;

/** Lets time pass until `done`. */
const wait = (world: World, done: () => boolean, what: string) =>
  until(() => {
    world.clock.advance(250);
    return done();
  }, what);

describe('a purge in several tabs', () => {
  it('all refuse from the moment of the gate, also one that is told by nobody', async () => {
    const { world, app, audit } = await orderedPage();
    const deaf = await deafTab(world, app);
    expect((await deaf.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    let release = (): void => undefined;
    app.before = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await until(() => app.calls.length > 0, 'in the hook');
    expect(await deaf.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'purging' });
    expect(await deaf.cacheKey({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'purging' });
    release();
    await until(() => audit.status().purge?.state !== 'purging', 'purged');
    await Promise.all([audit.close(), deaf.close()]);
  });

  it('call the hooks once between them, and report once', async () => {
    const { world, app, audit } = await orderedPage();
    const other = world.open({ cache: app.hooks });
    await other.flush();
    await order(world);
    await record(audit, 1);
    await Promise.all([audit.flush(), other.flush()]);
    await wait(world, () => confirmed(world), 'confirmed');
    expect(app.calls).toEqual(['purge *', 'isEmpty *']);
    const purged = world.ingest
      .eventsOf(world.ingest.device)
      .filter(({ action }) => action === 'cache.purged');
    expect(purged).toHaveLength(1);
    await Promise.all([audit.close(), other.close()]);
  });

  it('a tab that dies in a hook keeps the others waiting for seconds, one that works for as long as it does', async () => {
    const { world, app, audit } = await orderedPage();
    app.before = () => new Promise(() => undefined);
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await until(() => app.calls.length === 1, 'in the hook');
    const second = new AppCache();
    second.items.set('v_1', ['left']);
    const other = world.open({ cache: second.hooks });
    // The first one works, and says so: nobody else starts.
    for (let seconds = 0; seconds < 20; seconds++) {
      world.clock.advance(1_000);
      await other.offlineAccess({ scope: 'v_1' });
    }
    expect(second.calls).toEqual([]);
    // Then its page is killed: its timers run no more, and its claim ends.
    await world.store.transact(({ rows }) => ({
      result: null,
      rows: { cache: { ...rows.cache!, claim: { tab: 'dead', until: world.clock.wall + 5_000 } } },
    }));
    const killed = world.clock.wall;
    await wait(world, () => second.calls.length > 0, 'taken over');
    expect(world.clock.wall - killed).toBeLessThan(7_000);
    await other.close();
    await audit.close();
  });

  it('one without hooks raises the gate and destroys the keys, and leaves the rest to one that has them', async () => {
    const { world, app, audit } = await orderedPage();
    await audit.close();
    const bare = world.open();
    await order(world);
    await record(bare, 1);
    await bare.flush();
    expect(bare.status().purge).toEqual({ state: 'purging', scopes: ['*'] });
    expect(await world.store.cacheKey('v_1')).toBeNull();
    world.clock.advance(60_000);
    await bare.flush();
    expect(confirmed(world)).toBe(false);
    const page = world.open({ cache: app.hooks });
    await wait(world, () => confirmed(world), 'confirmed');
    expect(app.isEmpty).toBe(true);
    await Promise.all([bare.close(), page.close()]);
  });

  it('where no page ever had hooks, destroying the keys is all there is, and that is said', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    await audit.cacheKey({ scope: 'v_1' });
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await wait(world, () => confirmed(world), 'confirmed');
    const purged = world.ingest.eventsOf(world.ingest.device).find(({ action }) => action === 'cache.purged');
    expect(purged).toMatchObject({ data: { stores: [], counts: {}, keys: 1 } });
    await audit.close();
  });
});

/** A tab of the same browser that no other one reaches. */
async function deafTab(world: World, app: AppCache) {
  const lonely = await makeWorld(world.store);
  Object.assign(lonely.clock, { wall: world.clock.wall, monotonic: world.clock.monotonic });
  lonely.network.offline();
  return lonely.open({ cache: app.hooks });
}
