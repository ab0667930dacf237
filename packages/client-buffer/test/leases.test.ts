import { describe, expect, it } from '@jest/globals';
import type { HttpAnswer, HttpRequest } from '../src/transport.ts';
import { AppCache } from './support/app-cache.ts';
import { codeOf, DurableMemoryStore, makeWorld, record, until, type World } from './support/harness.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function leasedPage(store = new DurableMemoryStore()) {
  const world = await makeWorld(store);
  const app = new AppCache();
  const audit = world.open({ cache: app.hooks });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  return { world, app, audit };
}

const actions = ({ ingest }: World) => ingest.eventsOf(ingest.device).map(({ action }) => action);

/** A transport that gives the answers to appends only when it is told to. */
function heldBack(world: World) {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const answered: HttpAnswer[] = [];
  return {
    answered,
    release: () => release(),
    send: async (request: HttpRequest): Promise<HttpAnswer> => {
      const answer = await world.network.send(request);
      if (!request.path.startsWith('/v1/logs')) return answer;
      answered.push(answer);
      await gate;
      return answer;
    },
  };
}

describe('a lease', () => {
  it('counts from the sending of its request, however long the answer was on its way (INV-22)', async () => {
    const { world, audit } = await leasedPage();
    world.clock.advance(301_000);
    const sent = world.clock.wall;
    world.network.onAnswer = (answer) => {
      world.clock.wall += 20 * HOUR;
      world.clock.monotonic += 20 * HOUR;
      return answer;
    };
    await audit.flush();
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject({
      allowed: true,
      until: new Date(sent + 72 * HOUR),
      leftMs: 52 * HOUR,
    });
    await audit.close();
  });

  it('of a slower tab never replaces the newer one (INV-22)', async () => {
    const { world, audit } = await leasedPage();
    const slow = heldBack(world);
    const other = world.open({ transport: slow });
    const flushed = other.flush();
    await until(() => slow.answered.length === 1, 'asked, and not answered');
    // The newer one is for less time: that it counts is seen by that.
    world.ingest.orders.terms = { blockAfterSeconds: 3600, wipeAfterSeconds: 7200 };
    world.clock.advance(301_000);
    await audit.flush();
    const newest = await audit.offlineAccess({ scope: 'v_1' });
    slow.release();
    await codeOf(flushed);
    expect(await other.offlineAccess({ scope: 'v_1' })).toEqual(newest);
    expect(newest).toMatchObject({ leftMs: HOUR });
    await Promise.all([audit.close(), other.close()]);
  });

  it('that was asked for before the device was revoked, and comes after, opens nothing', async () => {
    const { world, audit } = await leasedPage();
    const slow = heldBack(world);
    const other = world.open({ transport: slow });
    const flushed = other.flush();
    await until(() => slow.answered.length === 1, 'granted, and not arrived');
    world.ingest.device.status = 'revoked';
    world.clock.advance(301_000);
    await audit.flush();
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'revoked' });
    slow.release();
    await codeOf(flushed);
    expect(await other.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'revoked' });
    await Promise.all([audit.close(), other.close()]);
  });

  it('that was kept and is fed later is accepted by no request: the nonce is another one', async () => {
    const { world, audit } = await leasedPage();
    let kept = '';
    world.network.onAnswer = (answer) => {
      if (answer.kind === 'failure' || !answer.body.includes('"lease"')) return answer;
      const json = JSON.parse(answer.body) as { lease: string };
      kept ||= json.lease;
      return { ...answer, body: JSON.stringify({ ...json, lease: kept }) };
    };
    world.clock.advance(301_000);
    await audit.flush();
    const first = await audit.offlineAccess({ scope: 'v_1' });
    world.clock.advance(HOUR);
    await audit.flush();
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject({
      until: first.allowed ? first.until : null,
    });
    expect(audit.status().problem).toMatchObject({ code: 'ERR_SIGNATURE' });
    await audit.close();
  });

  it('goes on after a restart, and its end is recorded once', async () => {
    const { world, app, audit } = await leasedPage();
    await audit.close();
    world.network.offline();
    world.clock.advance(71 * HOUR);
    // A page begins its monotonic clock anew.
    world.clock.monotonic = 5;
    const second = world.open({ cache: app.hooks });
    expect(await second.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true, leftMs: HOUR });
    world.clock.advance(HOUR);
    expect(await second.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'expired' });
    await second.close();
    const third = world.open({ cache: app.hooks });
    expect(await third.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'expired' });
    world.network.online();
    await third.flush();
    expect(actions(world).filter((action) => action === 'lease.expired')).toHaveLength(1);
    expect(await third.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true });
    await third.close();
  });

  it('ends by itself while a page is open that asks for nothing', async () => {
    const { world, audit } = await leasedPage();
    world.network.offline();
    await until(() => {
      world.clock.advance(60_000);
      return audit.status().ledger.pending > 0;
    }, 'recorded');
    world.network.online();
    await audit.flush();
    expect(actions(world)).toContain('lease.expired');
    await audit.close();
  });

  it('is refused once the clock was set back, says so once, and the next lease ends that', async () => {
    const { world, audit } = await leasedPage();
    world.clock.advance(HOUR);
    await audit.offlineAccess({ scope: 'v_1' });
    world.clock.wall -= 10 * 60_000;
    for (let i = 0; i < 3; i++)
      expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({
        allowed: false,
        reason: 'clock-stepped',
      });
    await audit.flush();
    await audit.flush();
    expect(actions(world).filter((action) => action === 'clock.stepped')).toHaveLength(1);
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true });
    await audit.close();
  });

  it('names its scopes, and a scope is a name', async () => {
    const { world, audit } = await leasedPage();
    world.ingest.orders.scopes = ['v_1'];
    world.clock.advance(301_000);
    await audit.flush();
    expect((await audit.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    expect(await audit.offlineAccess({ scope: 'v_2' })).toEqual({ allowed: false, reason: 'scope' });
    expect(await audit.cacheKey({ scope: '*' })).toEqual({ allowed: false, reason: 'scope' });
    for (const scope of ['', '-', 'a,b', 'a b', 'é', 'x'.repeat(129)])
      expect(await codeOf(audit.offlineAccess({ scope }))).toBe('ERR_CONFIG');
    await audit.close();
  });

  it('belongs to its log: another tenant in the same browser has neither it nor its gate', async () => {
    const { world, app, audit } = await leasedPage();
    const rival = await makeWorld(new DurableMemoryStore());
    const other = rival.open({ cache: new AppCache().hooks });
    expect((await audit.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    expect(await other.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'no-lease' });
    await other.enrol({ type: 'token', token: 'token-1' });
    await other.flush();
    app.fill();
    await world.ingest.orders.order(world.ingest.device.origin, world.ingest.directive);
    await record(audit, 1);
    await audit.flush();
    await until(() => app.isEmpty, 'purged');
    expect((await other.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    await Promise.all([audit.close(), other.close()]);
  });
});

describe('past wipe-after', () => {
  it.each<[string, (world: World) => void]>([
    ['after a restart', () => undefined],
    ['after a restart, with the clock set back', ({ clock }) => (clock.wall -= 10 * DAY)],
    ['after a restart, with the clock set back before the lease', ({ clock }) => (clock.wall -= 400 * DAY)],
  ])('the cache is wiped at the next opportunity: %s', async (_, then) => {
    const { world, app, audit } = await leasedPage();
    app.fill();
    await audit.cacheKey({ scope: 'v_1' });
    world.network.offline();
    app.before = () => new Promise(() => undefined);
    world.clock.advance(14 * DAY);
    // This page sees that it is time, and dies in the hook.
    await until(() => app.calls.length > 0, 'wiping');
    app.before = () => undefined;
    then(world);
    world.clock.monotonic = 5;
    const next = world.open({ cache: app.hooks });
    expect((await next.offlineAccess({ scope: 'v_1' })).allowed).toBe(false);
    await until(() => {
      world.clock.advance(500);
      return next.status().purge?.state === 'purged';
    }, 'wiped');
    expect(app.isEmpty).toBe(true);
    expect(await world.store.cacheKey('v_1')).toBeNull();
    world.network.online();
    await next.flush();
    expect(actions(world)).toEqual(
      expect.arrayContaining(['lease.expired', 'cache.purge_started', 'cache.purged']),
    );
    await next.close();
  });

  it('it is wiped by a question as well, and before that is answered', async () => {
    const { world, app, audit } = await leasedPage();
    app.fill();
    await audit.close();
    world.network.offline();
    world.clock.wall += 15 * DAY;
    const next = world.open({ cache: app.hooks });
    expect(await next.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'purging' });
    await until(() => next.status().purge?.state === 'purged', 'wiped');
    expect(await next.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'purged' });
    world.network.online();
    await next.flush();
    await until(() => next.status().purge === null, 'a new lease');
    expect((await next.offlineAccess({ scope: 'v_1' })).allowed).toBe(true);
    await next.close();
  });
});
