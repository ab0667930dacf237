import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { IdbLogStore } from '../src/idb-log-store.ts';
import type { Rows } from '../src/core/rows.ts';
import type { HttpAnswer, HttpRequest } from '../src/transport.ts';
import { FakeClock, makeWorld, record, until } from './support/harness.ts';

const clock = new FakeClock();
const openStore = () => new IdbLogStore('tachograph:tabs', { openTimeoutMs: 10_000, timers: clock.timers });

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

async function untilRead(store: IdbLogStore, condition: (rows: Rows) => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) if (condition((await store.read()).rows)) return;
  throw new Error('never came true in the store');
}

const untilUnclaimed = (store: IdbLogStore) => untilRead(store, ({ claim }) => claim === null);

describe('two tabs on one IndexedDB', () => {
  it('that start together make one device between them', async () => {
    const world = await makeWorld();
    const [a, b] = [world.open({ store: openStore() }), world.open({ store: openStore() })];
    await Promise.all([record(a, 1), record(b, 1)]);
    expect(a.status().origin).toBe(b.status().origin);
    await Promise.all([a.close(), b.close()]);
  });

  it('write one log, each entry once, and resolve `accepted` in the tab that recorded', async () => {
    const world = await makeWorld();
    const [a, b] = [world.open({ store: openStore() }), world.open({ store: openStore() })];
    await a.enrol({ type: 'token', token: 'token-1' });
    const recorded = await Promise.all([record(a, 60, 'a'), record(b, 60, 'b'), record(a, 40, 'c')]);
    const places = await Promise.all(recorded.flat().map(({ accepted }) => accepted));
    expect(new Set(places.map(({ index }) => index)).size).toBe(160);
    const vaults = world.ingest.eventsOf(world.ingest.device).map(({ data }) => data?.['vault'] as string);
    expect(vaults).toHaveLength(160);
    expect(new Set(vaults).size).toBe(160);
    for (const tab of ['a', 'b', 'c']) {
      const own = vaults.filter((vault) => vault.startsWith(tab));
      expect(own).toEqual(own.map((_, i) => `${tab}-${i}`));
    }
    await Promise.all([a.close(), b.close()]);
  });

  it('a tab that holds the claim and freezes keeps the other one waiting only until it expires', async () => {
    const world = await makeWorld();
    let frozen = false;
    const a = world.open({
      store: openStore(),
      transport: {
        send: (request) => (frozen ? new Promise(() => undefined) : world.network.send(request)),
      },
    });
    await a.enrol({ type: 'token', token: 'token-1' });
    await a.flush();
    frozen = true;
    await record(a, 2);
    const b = world.open({ store: openStore() });
    const [entry] = await record(b, 1);
    await until(() => {
      world.clock.advance(1_000);
      return b.status().ledger.accepted === 3;
    }, 'taken over');
    expect((await entry!.accepted).index).toBe(2);
    await b.close();
  });

  it('a tab that was killed in mid-send keeps the others waiting for seconds; one that waits for its answer, for as long', async () => {
    const world = await makeWorld();
    let isSent = false;
    const send = (request: HttpRequest): Promise<HttpAnswer> => {
      if (!request.path.startsWith('/v1/logs')) return world.network.send(request);
      isSent = true;
      return new Promise(() => undefined);
    };
    const a = world.open({ store: openStore(), transport: { send } });
    await a.enrol({ type: 'token', token: 'token-1' });
    await record(a, 1);
    await until(() => isSent, 'sent, and not answered');
    const store = openStore();
    const b = world.open({ store: openStore() });
    await b.offlineAccess({ scope: 'v_1' });
    for (let renewal = 0; renewal < 10; renewal++) {
      world.clock.advance(2_000);
      await untilRead(store, ({ claim }) => claim?.until === world.clock.wall + 4_000);
    }
    expect(b.status().ledger.accepted).toBe(0);
    // It is killed: nothing renews its claim any more.
    const killed = world.clock.wall;
    await store.transact(() => ({ result: null, rows: { claim: { tab: 'killed', until: killed + 4_000 } } }));
    await untilRead(store, ({ claim }) => {
      if (claim?.tab === 'killed') world.clock.advance(250);
      return claim?.tab !== 'killed';
    });
    expect(world.clock.wall - killed).toBeLessThan(6_000);
    await until(() => b.status().ledger.accepted === 1, 'sent');
    await b.close();
  });

  it('a tab that has sent everything leaves no claim: the page that is loaded after it sends at once', async () => {
    const world = await makeWorld();
    const a = world.open({ store: openStore() });
    await a.enrol({ type: 'token', token: 'token-1' });
    await record(a, 1);
    await a.flush();
    const store = openStore();
    await untilUnclaimed(store);
    // A page that dies says no more; its clock, and everybody's, stands still here.
    const b = world.open({ store });
    await record(b, 2);
    await until(() => b.status().ledger.accepted === 3, 'uploaded without waiting');
    await Promise.all([a.close(), b.close()]);
  });

  it('a page that goes away in mid-send gives its claim back before anything else', async () => {
    const world = await makeWorld();
    let hang = false;
    const transport = {
      send: (request: HttpRequest) =>
        hang ? new Promise<HttpAnswer>(() => undefined) : world.network.send(request),
    };
    const a = world.open({ store: openStore(), transport });
    await a.enrol({ type: 'token', token: 'token-1' });
    await a.flush();
    const store = openStore();
    hang = true;
    await record(a, 2);
    let claimed = false;
    await untilRead(store, ({ claim }) => (claimed = claim !== null));
    expect(claimed).toBe(true);
    world.page.hide();
    await untilUnclaimed(store);
    const b = world.open({ store });
    await until(() => b.status().ledger.accepted === 2, 'taken over without waiting');
    await b.close();
  });

  it('a tab killed in mid-send loses nothing and doubles nothing (INV-02, INV-07)', async () => {
    const world = await makeWorld();
    const a = world.open({ store: openStore() });
    await a.enrol({ type: 'token', token: 'token-1' });
    await a.flush();
    // The request arrives; whoever sent it does not live to read the answer.
    world.network.onAnswer = () => new Promise(() => undefined);
    await record(a, 50);
    await until(() => world.ingest.device.leaves.length > 0, 'arrived');
    world.network.online();
    const b = world.open({ store: openStore() });
    await b.flush();
    expect(world.ingest.device.leaves).toHaveLength(50);
    expect(b.status().ledger).toMatchObject({ accepted: 50, pending: 0 });
    await b.close();
  });

  it('a head that was committed and not signed before a crash is signed at the next start (INV-03)', async () => {
    const world = await makeWorld();
    const a = world.open({ store: openStore() });
    await a.enrol({ type: 'token', token: 'token-1' });
    world.network.offline();
    await record(a, 3);
    await a.close();
    const store = openStore();
    await store.transact(({ rows }) => ({ result: null, rows: { log: { ...rows.log!, checkpoint: null } } }));
    world.network.online();
    const b = world.open({ store });
    await until(() => b.status().ledger.accepted === 3, 'uploaded');
    await b.close();
  });

  it('of two tabs that see the same fork one opens the successor, and the other adopts it', async () => {
    const world = await makeWorld();
    const a = world.open({ store: openStore() });
    await a.enrol({ type: 'token', token: 'token-1' });
    await record(a, 3);
    await a.flush();
    // Ingest holds one entry more than this device ever made.
    const thief = world.ingest.device;
    const stored = openStore();
    const { rows } = await stored.read();
    await record(a, 1, 'elsewhere');
    await a.flush();
    await stored.transact(() => ({ result: null, rows: { log: rows.log } }));
    expect(thief.leaves).toHaveLength(4);
    const b = world.open({ store: openStore() });
    const [x, y] = await Promise.all([record(a, 2, 'a'), record(b, 2, 'b')]);
    await Promise.all([a.flush(), b.flush()]);
    const places = await Promise.all([...x, ...y].map(({ accepted }) => accepted));
    expect(new Set(places.map(({ origin }) => origin)).size).toBe(1);
    expect(world.ingest.devices.size).toBe(2);
    expect(a.status().origin).toBe(b.status().origin);
    await Promise.all([a.close(), b.close()]);
  });
});
