import { describe, expect, it } from '@jest/globals';
import type { Rows } from '../src/core/rows.ts';
import type { Change, Select, Snapshot } from '../src/log-store.ts';
import { codeOf, DurableMemoryStore, makeWorld, record, until } from './support/harness.ts';

/** Fails the next release of a claim, or every one of them, with an error that no port has declared. */
class FailingReleaseStore extends DurableMemoryStore {
  failing = false;
  stubborn = false;

  override async transact<T>(
    plan: (snapshot: Snapshot) => Change<T>,
    select?: Select,
  ): Promise<{ result: T; rows: Rows }> {
    return super.transact((snapshot) => {
      const change = plan(snapshot);
      if (this.failing && change.rows?.claim === null) {
        this.failing = this.stubborn;
        throw new TypeError('the connection is closing');
      }
      return change;
    }, select);
  }
}

async function enrolled() {
  const store = new FailingReleaseStore();
  const world = await makeWorld(store);
  const audit = world.open();
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  return { store, world, audit };
}

describe('a claim that cannot be given back', () => {
  it('is a setback of the device, and the tab goes on uploading by itself', async () => {
    const { store, world, audit } = await enrolled();
    store.failing = true;
    await record(audit, 2);
    await until(() => audit.status().problem !== null, 'set back');
    expect(audit.status().problem).toEqual({ code: 'ERR_STORAGE', detail: 'the connection is closing' });
    expect(store.failing).toBe(false);
    await record(audit, 3);
    await until(() => {
      world.clock.advance(1_000);
      return audit.status().ledger.accepted === 5;
    }, 'uploaded after the failure');
    await until(() => audit.status().problem === null, 'no problem left');
    await audit.close();
  });

  it('does not shorten a wait that ingest asked for', async () => {
    const { store, world, audit } = await enrolled();
    const { timers } = world.clock;
    const setTimer = timers.setTimeout;
    const waits: number[] = [];
    timers.setTimeout = (run, ms) => {
      waits.push(ms);
      return setTimer(run, ms);
    };
    world.network.intercept = () => ({ kind: 'answer', status: 503, retryAfter: '120', body: 'busy' });
    store.failing = true;
    await record(audit, 1);
    await until(() => audit.status().problem !== null, 'set back');
    expect(store.failing).toBe(false);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(120_000);
    world.network.online();
    world.clock.advance(2 * waits.at(-1)!);
    await until(() => audit.status().ledger.accepted === 1, 'sent after the wait');
    await audit.close();
  });

  it('does not keep a buffer from closing', async () => {
    const { store, world, audit } = await enrolled();
    // The claim is held: the answer never comes until the buffer closes.
    let answer = (): void => undefined;
    world.network.onAnswer = (given) =>
      new Promise((resolve) => {
        answer = () => resolve(given);
      });
    await record(audit, 1);
    await until(() => world.ingest.device.leaves.length === 1, 'arrived');
    store.failing = store.stubborn = true;
    const closing = audit.close();
    await until(() => {
      answer();
      return audit.status().state === 'closed';
    }, 'closed');
    expect(await codeOf(closing)).toBeNull();
    expect((await store.read()).rows.claim).not.toBeNull();
  });
});

describe('a page that comes back from sleep', () => {
  it('checks in at once, though its own clock has stood still', async () => {
    const { world, audit } = await enrolled();
    const before = audit.status().receipt!.time;
    world.clock.wall += 8 * 3_600_000;
    world.page.online();
    await until(() => {
      world.clock.advance(1);
      return audit.status().receipt!.time > before;
    }, 'checked in');
    await audit.close();
  });

  it('does not check in each time that it is shown again', async () => {
    const { world, audit } = await enrolled();
    const { sent } = world.network;
    for (let shown = 0; shown < 10; shown++) {
      world.page.online();
      world.clock.advance(100);
      await audit.flush();
    }
    expect(world.network.sent).toBe(sent);
    await audit.close();
  });
});

describe('the first upload after one that reached nobody', () => {
  it('is a check-in, however short ago the last one was: the time bounds of what waited rest on its note', async () => {
    const { world, audit } = await enrolled();
    world.network.offline();
    await record(audit, 1);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    world.clock.advance(2_000);
    world.network.online();
    await audit.flush();
    const renewed = { allowed: true, until: new Date(world.clock.wall + 72 * 3_600_000) };
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject(renewed);
    await audit.close();
  });
});
