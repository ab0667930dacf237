import { formatVkey, signStatement, PURGE_NOTE, SIGNATURE_TYPE, type Origin } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import type { OfflineRefusal } from '../src/offline-types.ts';
import { AppCache } from './support/app-cache.ts';
import { makeSigner } from './support/make-signer.ts';
import { codeOf, makeWorld, record, until, type TestBuffer, type World } from './support/harness.ts';

/** An enrolled page with a lease, a cache key for each of its two scopes, and something in its cache. */
async function cachingPage() {
  const world = await makeWorld();
  const app = new AppCache();
  const audit = world.open({ cache: app.hooks, directiveKey: world.ingest.directiveVkey });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  for (const scope of ['v_1', 'v_2']) {
    app.fill(scope);
    expect(await audit.cacheKey({ scope })).toMatchObject({ allowed: true });
  }
  return { world, app, audit };
}

const order = ({ ingest }: World, options?: { id?: string; scopes?: readonly string[] }) =>
  ingest.orders.order(ingest.device.origin, ingest.directive, options);

/** The library's reports of purges that ingest has, in order. */
const reports = ({ ingest }: World) =>
  ingest
    .eventsOf(ingest.device)
    .filter(({ action }) => action.startsWith('cache.purge'))
    .map(({ action, data }) => ({ action, data }));

async function refusal(audit: TestBuffer, scope = 'v_1'): Promise<OfflineRefusal | 'allowed'> {
  const access = await audit.offlineAccess({ scope });
  const withKey = await audit.cacheKey({ scope });
  expect(withKey.allowed).toBe(access.allowed);
  return access.allowed ? 'allowed' : access.reason;
}

/** Uploads until everything that a purge brought about is with ingest. */
async function settle(world: World, audit: TestBuffer): Promise<void> {
  await until(() => audit.status().purge?.state !== 'purging', 'purged');
  await until(() => audit.status().ledger.pending === 0, 'reported');
  expect(world.ingest.orders.openFor(world.ingest.device.origin)).toEqual([]);
}

describe('a purge directive', () => {
  it('destroys the cache and is confirmed, with what it destroyed', async () => {
    const { world, app, audit } = await cachingPage();
    await order(world);
    await record(audit, 1);
    await audit.flush();
    await settle(world, audit);
    expect(app.isEmpty).toBe(true);
    expect(app.calls).toEqual(['purge *', 'isEmpty *']);
    const about = { purge: 'purge-1', directive: 'purge-1', scopes: ['*'], reason: 'left the company' };
    expect(reports(world)).toEqual([
      { action: 'cache.purge_started', data: { ...about, keys: 2 } },
      {
        action: 'cache.purged',
        data: { ...about, stores: ['items'], counts: { items: 6 }, keys: 2, failures: 0 },
      },
    ]);
    await audit.close();
  });

  it('raises the gate and destroys the keys before any hook is called', async () => {
    const { world, app, audit } = await cachingPage();
    const seen: unknown[] = [];
    app.before = async () => {
      const { rows } = await world.store.read();
      seen.push(rows.cache?.blocked, await world.store.cacheKey('v_1'), await world.store.cacheKey('v_2'));
      seen.push(await refusal(audit), audit.status().purge);
    };
    await order(world);
    await record(audit, 1);
    await settleAfterFlush(world, audit);
    expect(seen).toEqual([['*'], null, null, 'purging', { state: 'purging', scopes: ['*'] }]);
    await audit.close();
  });

  it('lets go only with a lease that was asked for after it; the key is another one then (INV-21, INV-22)', async () => {
    const { world, audit } = await cachingPage();
    const before = await audit.cacheKey({ scope: 'v_1' });
    // The lease that comes in the very answer that brings the directive was asked for before it.
    world.clock.advance(61_000);
    await order(world);
    await record(audit, 1);
    const leases: boolean[] = [];
    world.network.onAnswer = (answer) => {
      leases.push(answer.kind === 'answer' && answer.body.includes('tachograph lease/v1'));
      // Nothing else is answered until the test says so.
      world.network.offline();
      return answer;
    };
    await codeOf(audit.flush());
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    expect(leases).toEqual([true]);
    expect(await refusal(audit)).toBe('purged');
    world.network.online();
    await audit.flush();
    await settle(world, audit);
    await until(() => audit.status().purge === null, 'a later lease');
    const after = await audit.cacheKey({ scope: 'v_1' });
    expect(before.allowed && after.allowed && before.key !== after.key).toBe(true);
    await audit.close();
  });

  it('for some scopes destroys only those, and refuses only those', async () => {
    const { world, app, audit } = await cachingPage();
    const seen: unknown[] = [];
    app.before = async () => {
      seen.push(await refusal(audit, 'v_1'), await refusal(audit, 'v_2'), await refusal(audit, '*'));
    };
    await order(world, { scopes: ['v_1'] });
    await record(audit, 1);
    await settleAfterFlush(world, audit);
    expect(seen).toEqual(['purging', 'allowed', 'purging']);
    expect([...app.items.keys()]).toEqual(['v_2']);
    expect(await world.store.cacheKey('v_2')).not.toBeNull();
    expect(reports(world).at(-1)).toMatchObject({
      action: 'cache.purged',
      data: { scopes: ['v_1'], counts: { items: 3 }, keys: 1 },
    });
    await audit.close();
  });

  it('that is handed out again is not carried out again', async () => {
    const { world, app, audit } = await cachingPage();
    const note = await order(world);
    await record(audit, 1);
    await settleAfterFlush(world, audit);
    await until(() => audit.status().purge === null, 'a later lease');
    app.fill();
    world.ingest.orders.plant('again', world.ingest.device.origin, note);
    await record(audit, 1);
    await audit.flush();
    expect(await refusal(audit)).toBe('allowed');
    expect(app.isEmpty).toBe(false);
    expect(reports(world).filter(({ action }) => action === 'cache.purged')).toHaveLength(1);
    await audit.close();
  });

  it('comes with a conflict as well', async () => {
    const { world, app, audit } = await cachingPage();
    await order(world);
    const statuses: number[] = [];
    // Every receipt is lost on its way: what arrives is the 409 to what was sent again.
    world.network.onAnswer = (answer) => {
      if (answer.kind === 'failure' || answer.status !== 409) return { kind: 'failure', detail: 'reset' };
      statuses.push(answer.status);
      return answer;
    };
    await record(audit, 1);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(app.isEmpty).toBe(false);
    await codeOf(audit.flush());
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    expect(statuses[0]).toBe(409);
    expect(app.isEmpty).toBe(true);
    world.network.online();
    await settleAfterFlush(world, audit);
    await audit.close();
  });
});

describe('what is no directive for this log', () => {
  const forgeries: [string, (world: World) => Promise<string>, string][] = [
    [
      'signed by the key of leases',
      ({ ingest }) => ingest.orders.order(ingest.device.origin, ingest.lessor),
      'ERR_SIGNATURE',
    ],
    [
      'signed by another key of that name',
      async ({ ingest }) => {
        const other = await makeSigner('audit.example.com/directive', SIGNATURE_TYPE.ed25519);
        return ingest.orders.order(ingest.device.origin, other);
      },
      'ERR_SIGNATURE',
    ],
    [
      'for another log',
      async ({ ingest }) => {
        const elsewhere = ingest.device.origin.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')) as Origin;
        const note = await ingest.orders.order(elsewhere, ingest.directive);
        ingest.orders.plant('purge-1', ingest.device.origin, note);
        return note;
      },
      'ERR_ORIGIN_MISMATCH',
    ],
    [
      'of another tenant',
      async ({ ingest }) => {
        const elsewhere = ingest.device.origin.replace('/acme/', '/rival/') as Origin;
        const note = await ingest.orders.order(elsewhere, ingest.directive);
        ingest.orders.plant('purge-1', ingest.device.origin, note);
        return note;
      },
      'ERR_ORIGIN_MISMATCH',
    ],
    [
      'changed on its way',
      async (world) => {
        const note = (await order(world, { scopes: ['v_9'] })).replace('v_9', '*');
        world.ingest.orders.plant('purge-1', world.ingest.device.origin, note);
        return note;
      },
      'ERR_SIGNATURE',
    ],
  ];

  it.each(forgeries)('%s: nothing is destroyed, and the app is told', async (_, forge, code) => {
    const { world, app, audit } = await cachingPage();
    await forge(world);
    await record(audit, 1);
    await audit.flush();
    expect(audit.status()).toMatchObject({ purge: null, problem: { code } });
    expect(await refusal(audit)).toBe('allowed');
    expect(app.calls).toEqual([]);
    await audit.close();
  });

  it('one of several configured directive keys suffices, as while they are exchanged', async () => {
    const { world, app, audit } = await cachingPage();
    const next = await makeSigner('audit.example.com/directive', SIGNATURE_TYPE.ed25519);
    await world.ingest.orders.order(world.ingest.device.origin, next);
    await record(audit, 1);
    await audit.flush();
    expect(app.calls).toEqual([]);
    await audit.close();
    const directiveKey = [world.ingest.directiveVkey, formatVkey(next.key)];
    const newer = world.open({ cache: app.hooks, directiveKey });
    await record(newer, 1);
    await settleAfterFlush(world, newer);
    expect(app.isEmpty).toBe(true);
    await newer.close();
  });

  it('a directive for the log that this one succeeded is for this one, too', async () => {
    const { world, app, audit } = await cachingPage();
    const old = world.ingest.device;
    // Ingest holds an entry that this device never made: a fork, and with it a successor.
    await record(audit, 1);
    await audit.flush();
    const { rows } = await world.store.read();
    await record(audit, 1);
    await audit.flush();
    await world.store.transact(() => ({ result: null, rows: { log: rows.log } }));
    await record(audit, 2);
    await audit.flush();
    expect(world.ingest.device).not.toBe(old);
    const note = await signStatement(
      PURGE_NOTE,
      { origin: old.origin, id: 'late', scopes: ['*'], reason: 'x', issued: 0 },
      world.ingest.directive,
    );
    world.ingest.orders.plant('late', world.ingest.device.origin, note);
    await record(audit, 1);
    await settleAfterFlush(world, audit);
    expect(app.isEmpty).toBe(true);
    await audit.close();
  });
});

async function settleAfterFlush(world: World, audit: TestBuffer): Promise<void> {
  await audit.flush();
  await settle(world, audit);
}
