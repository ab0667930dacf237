import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { AppCache } from './support/app-cache.ts';
import { MortalPage, type Place } from './support/mortal-page.ts';
import { makeWorld, record, until, type TestBuffer, type World } from './support/harness.ts';

const SCOPES = ['v_1', 'v_2'];
const DAY = 24 * 3_600_000;

/** A page with a lease and a full cache, of which the test decides when it dies. */
async function mortalPage() {
  const world = await makeWorld();
  const [app, page] = [new AppCache(), new MortalPage()];
  const cache = page.hooks(app.hooks);
  const audit = world.open({ store: page.store(world.store), cache });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  for (const scope of SCOPES) {
    app.fill(scope);
    await audit.cacheKey({ scope });
  }
  await record(audit, 1);
  await audit.flush();
  return { world, app, page, audit };
}

/** Lets time pass until `done`, or until the page is dead and will do no more. */
async function run(world: World, page: MortalPage, done: () => boolean): Promise<void> {
  await until(() => {
    world.clock.advance(500);
    return page.dead || done();
  }, 'died or done');
  // What was on its way when it died arrives.
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

/** The next page: whatever it answers to the app, it allows nothing while anything is left behind a gate. */
async function resume(world: World, app: AppCache): Promise<TestBuffer> {
  const { cache } = (await world.store.read()).rows;
  const next = world.open({ cache: app.hooks });
  let gated = (cache?.orders.length ?? 0) > 0;
  const reads: string[] = [];
  const read = async (): Promise<void> => {
    const isBehindGate = gated;
    const { allowed } = await next.offlineAccess({ scope: 'v_1' });
    reads.push(!allowed ? 'refused' : isBehindGate && !app.isEmpty ? 'leaked' : 'allowed');
  };
  await read();
  await until(() => {
    void read();
    gated ||= next.status().purge?.state === 'purging';
    world.clock.advance(500);
    return app.isEmpty && purgedLeaves(world).length > 0 && next.status().ledger.pending === 0;
  }, 'purged by the next page');
  expect(reads).not.toContain('leaked');
  return next;
}

function purgedLeaves({ ingest }: World) {
  return ingest.eventsOf(ingest.device).filter(({ action }) => action === 'cache.purged');
}

/** Dies the `count`-th time at `place` after the directive was issued; says whether the purge got that far. */
async function dieAt(place: Place, count: number, mode: 'before' | 'after'): Promise<boolean> {
  const { world, app, page, audit } = await mortalPage();
  await world.ingest.orders.order(world.ingest.device.origin, world.ingest.directive, {
    scopes: count % 2 === 0 ? ['*'] : SCOPES,
  });
  page.arm(place, count, mode);
  void record(audit, 1);
  await run(
    world,
    page,
    () => app.isEmpty && audit.status().ledger.pending === 0 && audit.status().purge === null,
  );
  if (!page.dead) return false;
  const next = await resume(world, app);
  expect(purgedLeaves(world)).toHaveLength(1);
  expect(purgedLeaves(world)[0]).toMatchObject({ data: { directive: 'purge-1' } });
  expect(world.ingest.orders.openFor(world.ingest.device.origin)).toEqual([]);
  for (const scope of SCOPES) expect(await world.store.cacheKey(scope)).toBeNull();
  await next.close();
  return true;
}

const steps = (['before', 'after'] as const).flatMap((mode) =>
  (['transact', 'read', 'purge', 'isEmpty'] as const).map((place) => ({ mode, place })),
);

describe.each(steps)('a page that dies $mode any $place of a purge', ({ mode, place }) => {
  it('is followed by one that finishes it before any read, and reports it once (INV-21)', async () => {
    let deaths = 0;
    // One scope takes fewer steps than two: it is over when neither dies any more.
    for (let [count, survivors] = [1, 0]; survivors < 2; count++) {
      const died = await dieAt(place, count, mode);
      survivors = died ? 0 : survivors + 1;
      deaths += died ? 1 : 0;
    }
    expect(deaths).toBeGreaterThan(0);
  });
});

describe.each(['before', 'after'] as const)('a page that dies %s any transaction of a wipe', (mode) => {
  it('is followed by one that finishes it, though no directive ordered it', async () => {
    let deaths = 0;
    for (let count = 1; ; count++) {
      const { world, app, page, audit } = await mortalPage();
      world.network.offline();
      page.arm('transact', count, mode);
      world.clock.advance(14 * DAY);
      await run(world, page, () => audit.status().purge?.state === 'purged');
      if (!page.dead) break;
      deaths++;
      const next = world.open({ cache: app.hooks });
      expect((await next.offlineAccess({ scope: 'v_1' })).allowed).toBe(false);
      await until(() => {
        world.clock.advance(500);
        return next.status().purge?.state === 'purged';
      }, 'wiped');
      expect(app.isEmpty).toBe(true);
      world.network.online();
      await next.flush();
      const [first, ...others] = purgedLeaves(world);
      expect([first?.data?.['reason'], first?.data?.['directive'], others]).toEqual([
        'wipe-after',
        undefined,
        [],
      ]);
      await next.close();
    }
    expect(deaths).toBeGreaterThan(4);
  });
});
