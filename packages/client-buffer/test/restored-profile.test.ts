import { describe, expect, it } from '@jest/globals';
import type { Rows } from '../src/core/rows.ts';
import type { Change, Select, Snapshot } from '../src/log-store.ts';
import { AppCache } from './support/app-cache.ts';
import { DurableMemoryStore, makeWorld, record, until } from './support/harness.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A profile of which a copy can be kept, and put back later: rows and cache keys, as a backup of a disk has them. */
class ProfileStore extends DurableMemoryStore {
  readonly #keys = new Map<string, CryptoKey>();

  override async transact<T>(
    plan: (snapshot: Snapshot) => Change<T>,
    select?: Select,
  ): Promise<{ result: T; rows: Rows }> {
    return super.transact((snapshot) => {
      const change = plan(snapshot);
      if (change.cacheKey !== undefined) this.#keys.set(change.cacheKey.scope, change.cacheKey.key);
      return change;
    }, select);
  }

  async copy(): Promise<{ rows: Rows; keys: readonly [string, CryptoKey][] }> {
    return { rows: (await this.read()).rows, keys: [...this.#keys] };
  }

  async restore({ rows, keys }: Awaited<ReturnType<ProfileStore['copy']>>): Promise<void> {
    // The copy was made when everything had its receipt: it holds no entries.
    await this.transact(() => ({ result: null, rows, drop: { device: rows.log!.device, size: Infinity } }));
    for (const [scope, key] of keys) await this.transact(() => ({ result: null, cacheKey: { scope, key } }));
  }
}

/** An hour into its lease, with a cache that can be decrypted: the moment of the copy. */
async function copiedProfile() {
  const store = new ProfileStore();
  const world = await makeWorld(store);
  const app = new AppCache();
  const audit = world.open({ cache: app.hooks });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  app.fill();
  await audit.cacheKey({ scope: 'v_1' });
  world.clock.advance(HOUR);
  await audit.offlineAccess({ scope: 'v_1' });
  const copy = await store.copy();
  await audit.close();
  const reopen = async (wall: number) => {
    world.clock.wall = wall;
    world.clock.monotonic = 5;
    return world.open({ cache: app.hooks });
  };
  return { store, world, app, copy, copiedAt: world.clock.wall, reopen };
}

describe('a copy of the browser profile that is put back', () => {
  it('cannot win time: the wall clock goes on, and the lease ends when it would have ended', async () => {
    const { store, world, copy, copiedAt, reopen } = await copiedProfile();
    world.network.offline();
    await store.restore(copy);
    const early = await reopen(copiedAt + 70 * HOUR);
    expect(await early.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true, leftMs: HOUR });
    await early.close();
    await store.restore(copy);
    const late = await reopen(copiedAt + 71 * HOUR);
    expect(await late.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'expired' });
    await late.close();
    await store.restore(copy);
    const wiped = await reopen(copiedAt + 14 * DAY);
    expect((await wiped.offlineAccess({ scope: 'v_1' })).allowed).toBe(false);
    await until(() => wiped.status().purge?.state === 'purged', 'wiped again');
    await wiped.close();
  });

  it('with the clock set back as well repeats the time of the copy, and no library can see that', async () => {
    const { store, world, copy, copiedAt, reopen } = await copiedProfile();
    world.network.offline();
    const ended = await reopen(copiedAt + 80 * HOUR);
    expect((await ended.offlineAccess({ scope: 'v_1' })).allowed).toBe(false);
    await ended.close();
    // The highest time seen goes back with the profile: this is the limit, and it is stated in docs/CLIENT.md.
    await store.restore(copy);
    const cheated = await reopen(copiedAt);
    expect(await cheated.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true, leftMs: 71 * HOUR });
    // While that page is open its monotonic clock counts, whatever the wall clock is told.
    world.clock.monotonic += 71 * HOUR;
    expect((await cheated.offlineAccess({ scope: 'v_1' })).allowed).toBe(false);
    await cheated.close();
  });

  it('from before the clock was set back by hand is found by less than that: five minutes', async () => {
    const { store, copy, copiedAt, reopen } = await copiedProfile();
    await store.restore(copy);
    const page = await reopen(copiedAt - 6 * 60_000);
    expect(await page.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'clock-stepped' });
    await page.close();
  });

  it('brings a purged cache back, until the first contact: then it is purged again, under the same directive', async () => {
    const { store, world, app, copy, copiedAt, reopen } = await copiedProfile();
    const { ingest } = world;
    const note = await ingest.orders.order(ingest.device.origin, ingest.directive);
    const first = await reopen(copiedAt);
    await record(first, 1);
    await first.flush();
    await until(() => ingest.orders.openFor(ingest.device.origin).length === 0, 'purged and reported');
    expect(app.isEmpty).toBe(true);
    await first.close();
    await store.restore(copy);
    app.fill();
    world.network.offline();
    const back = await reopen(copiedAt + 2 * HOUR);
    expect(await back.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true, leftMs: 69 * HOUR });
    const { device } = ingest;
    // Ingest has its confirmation; an administrator who sees the rollback orders it again.
    ingest.orders.plant('again', device.origin, note);
    world.network.online();
    await back.flush();
    await until(() => back.status().purge?.state === 'purged', 'purged again');
    expect(app.isEmpty).toBe(true);
    await back.flush();
    expect(await store.cacheKey('v_1')).toBeNull();
    // The rollback itself shows: ingest holds more than this profile has, and the log goes on in a successor.
    expect(ingest.devices.size).toBe(2);
    const purges = [...ingest.devices.values()]
      .flatMap((known) => ingest.eventsOf(known))
      .filter(({ action }) => action === 'cache.purged');
    expect(purges.map(({ data }) => data?.['directive'])).toEqual(['purge-1', 'purge-1']);
    await back.close();
  });
});
