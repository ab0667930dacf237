import { describe, expect, it } from '@jest/globals';
import { AuditBufferError } from '../src/errors.ts';
import type { Change, Select, Snapshot } from '../src/log-store.ts';
import type { CacheHooks } from '../src/offline-types.ts';
import { AppCache } from './support/app-cache.ts';
import {
  actor,
  codeOf,
  DurableMemoryStore,
  makeWorld,
  record,
  until,
  type World,
} from './support/harness.ts';

async function orderedPage(store = new DurableMemoryStore(), options: { bytesMax?: number } = {}) {
  const world = await makeWorld(store);
  const app = new AppCache();
  const audit = world.open({ cache: app.hooks, ...options });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  app.fill();
  await audit.cacheKey({ scope: 'v_1' });
  return { world, app, audit };
}

const order = ({ ingest }: World, options?: { id?: string; scopes?: readonly string[] }) =>
  ingest.orders.order(ingest.device.origin, ingest.directive, options);

const failures = ({ ingest }: World) =>
  ingest
    .eventsOf(ingest.device)
    .filter(({ action }) => action === 'cache.purge_failed')
    .map(({ data }) => [data?.['failures'], data?.['failure']]);

const confirmed = ({ ingest }: World) => ingest.orders.openFor(ingest.device.origin).length === 0;

/** Lets time pass until `done`. */
const wait = (world: World, done: () => boolean, what: string) =>
  until(() => {
    world.clock.advance(250);
    return done();
  }, what);

describe('hooks that do not do what they should', () => {
  it('are called again, later each time, until the cache is empty; the gate stays up', async () => {
    const { world, app, audit } = await orderedPage();
    const calls: number[] = [];
    app.before = () => {
      calls.push(world.clock.wall);
      if (calls.length <= 5) throw new Error('the database is locked');
    };
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await wait(world, () => calls.length === 3, 'third attempt');
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'purging' });
    await wait(world, () => confirmed(world), 'confirmed');
    expect(app.isEmpty).toBe(true);
    const waits = calls.slice(1).map((at, i) => (at - calls[i]!) / 1000);
    for (const [i, seconds] of waits.entries()) expect(seconds).toBeGreaterThanOrEqual(5 * 2 ** i);
    // The first, and every power of two: no log fills with one app's bug.
    expect(failures(world).map(([count]) => count)).toEqual([1, 2, 4]);
    expect(failures(world)[0]![1]).toBe('hook-failed: the database is locked');
    const purged = world.ingest.eventsOf(world.ingest.device).find(({ action }) => action === 'cache.purged');
    expect(purged).toMatchObject({ data: { failures: 5 } });
    await audit.close();
  });

  it('that hang are given up after 30 seconds, told so by their signal, and called again', async () => {
    const { world, app, audit } = await orderedPage();
    const signals: AbortSignal[] = [];
    const hanging: CacheHooks = {
      ...app.hooks,
      purge: (request) => {
        signals.push(request.signal);
        return signals.length === 1 ? new Promise<never>(() => undefined) : app.hooks.purge(request);
      },
    };
    await audit.close();
    const page = world.open({ cache: hanging });
    await order(world);
    await record(page, 1);
    await page.flush();
    const started = world.clock.wall;
    await wait(world, () => signals[0]?.aborted === true, 'given up');
    expect(world.clock.wall - started).toBeLessThan(32_000);
    expect(world.clock.wall - started).toBeGreaterThanOrEqual(29_000);
    await wait(world, () => confirmed(world), 'confirmed');
    expect(failures(world)).toEqual([[1, 'timed-out']]);
    await page.close();
  });

  it('that leave something behind, or do not look, are not believed', async () => {
    const { world, app, audit } = await orderedPage();
    await audit.close();
    let looked = 0;
    const page = world.open({
      cache: {
        ...app.hooks,
        isEmpty: async () => {
          looked++;
          if (looked === 1) return false;
          // What JavaScript lets an app forget.
          return looked === 2 ? (JSON.parse('null') as boolean) : true;
        },
      },
    });
    await order(world);
    await record(page, 1);
    await page.flush();
    await wait(world, () => confirmed(world), 'confirmed');
    expect(failures(world)).toEqual([
      [1, 'not-empty'],
      [2, 'not-empty'],
    ]);
    await page.close();
  });

  it('for one scope keep no order for everything waiting', async () => {
    const { world, app, audit } = await orderedPage();
    app.before = (scope) => {
      if (scope === 'v_1') throw new Error('never');
    };
    await order(world, { id: 'some', scopes: ['v_1'] });
    await order(world, { id: 'all', scopes: ['*'] });
    await record(audit, 1);
    await audit.flush();
    await until(() => app.isEmpty, 'emptied without waiting for the retry');
    expect(app.calls).toContain('purge *');
    expect(audit.status().purge?.state).toBe('purging');
    await audit.close();
  });

  it('may say what they like: what is no count is left out, and nothing makes the report too long', async () => {
    const { world, app, audit } = await orderedPage();
    await audit.close();
    const counts = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`store-${i}`.repeat(9), i]));
    const told = { good: 2, bad: -1, worse: Number.NaN, text: 'x', 'line\nfeed': 1, ...counts };
    const page = world.open({
      cache: {
        ...app.hooks,
        purge: async () => JSON.parse(JSON.stringify(told)) as { [store: string]: number },
      },
    });
    app.items.clear();
    await order(world, { scopes: Array.from({ length: 400 }, (_, i) => `scope-${i}`.padEnd(128, 'x')) });
    await record(page, 1);
    await page.flush();
    await wait(world, () => confirmed(world), 'confirmed');
    const purged = world.ingest.eventsOf(world.ingest.device).find(({ action }) => action === 'cache.purged');
    const data = purged?.data as { counts: object; stores: string[]; scopes: string[]; scopesTotal: number };
    expect(data).toMatchObject({ counts: { good: 800 }, scopesTotal: 400 });
    expect([data.stores.length, data.scopes.length]).toEqual([64, 100]);
    expect(Object.keys(data.counts)).not.toEqual(
      expect.arrayContaining(['bad', 'worse', 'text', 'line\nfeed']),
    );
    await page.close();
  });
});

describe('a purge waits for nothing else', () => {
  it('not for room in a full buffer: its report is written all the same', async () => {
    const { world, app, audit } = await orderedPage(new DurableMemoryStore(), { bytesMax: 3_000 });
    let release = (): void => undefined;
    app.before = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await until(() => app.calls.length > 0, 'in the hook');
    world.network.offline();
    const entries = Array.from({ length: 40 }, () =>
      audit.record('item.reveal', { actor, data: { vault: 'v' } }),
    );
    const codes = await Promise.all(entries.map(({ durable }) => codeOf(durable)));
    expect(codes.at(-1)).toBe('ERR_BUFFER_FULL');
    release();
    await until(() => audit.status().purge?.state === 'purged', 'done, and written down');
    world.network.online();
    await audit.flush();
    await wait(world, () => confirmed(world), 'confirmed');
    await audit.close();
  });

  it('not for a disk on which no leaf finds room: everything is destroyed, and reported when there is some', async () => {
    class FullDisk extends DurableMemoryStore {
      full = false;
      override transact<T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select) {
        return super.transact((snapshot) => {
          const change = plan(snapshot);
          if (this.full && (change.append ?? []).length > 0)
            throw new AuditBufferError('ERR_STORAGE_FULL', 'the browser refuses to store more');
          return change;
        }, select);
      }
    }
    const disk = new FullDisk();
    const { world, app, audit } = await orderedPage(disk);
    await order(world);
    disk.full = true;
    world.clock.advance(5 * 60_000);
    await audit.flush();
    await until(() => app.isEmpty, 'emptied');
    expect(await disk.cacheKey('v_1')).toBeNull();
    expect(confirmed(world)).toBe(false);
    expect((await audit.offlineAccess({ scope: 'v_1' })).allowed).toBe(false);
    disk.full = false;
    await wait(world, () => confirmed(world), 'confirmed');
    await audit.close();
  });

  it('closing waits for no hook that hangs; the next page goes on', async () => {
    const { world, app, audit } = await orderedPage();
    app.before = () => new Promise(() => undefined);
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await until(() => app.calls.length > 0, 'in the hook');
    await audit.close();
    app.before = () => undefined;
    const next = world.open({ cache: app.hooks });
    // The claim was given back: nobody waits for it to expire.
    await until(() => app.isEmpty, 'emptied at once');
    await next.close();
  });
});
