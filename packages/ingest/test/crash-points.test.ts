import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { enqueueEvent, INGEST_ACTOR } from '../src/tenant-log/outbox.ts';
import { delivered, eventually, Harness, replay, TENANT, type Answered, type Node } from './harness.ts';
import { Mortal } from './mortal.ts';
import { textsOf, type TestDevice } from './test-device.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

/** More crash points than these ways through the node have: a test that goes on for ever fails instead. */
const POINTS_MAX = 400;

type Dying = { readonly node: Node; readonly mortal: Mortal };

/** Starts a node that dies at its n-th await, perhaps before it listens. Answers whether it did. */
async function diesStarting(n: number): Promise<boolean> {
  const mortal = new Mortal();
  mortal.dieAt(n);
  let node: Node | null = null;
  const start = async (): Promise<void> => {
    node = await harness.node(mortal.wraps);
    // It may have died while it began to listen.
    await (mortal.isDead ? node.abandon() : node.ingest.ready());
  };
  await Promise.race([start(), mortal.death]);
  // What it does from here on, it lives to do.
  mortal.dieAt(Infinity);
  const started: Node | null = node;
  if (started === null) await mortal.bury();
  else await bury({ node: started, mortal });
  return mortal.isDead;
}

async function mortalNode(): Promise<Dying> {
  const mortal = new Mortal();
  const node = await harness.node(mortal.wraps);
  return { node, mortal };
}

/** What `doing` came to, or `null` where the node died before it could tell. */
async function unlessDead<T>({ mortal }: Dying, doing: Promise<T>): Promise<T | null> {
  return Promise.race([doing, mortal.death.then(() => null)]);
}

/** Takes the dead node's connections from it, as its operating system does. */
async function bury({ node, mortal }: Dying): Promise<void> {
  await (mortal.isDead ? node.abandon() : node.close());
}

/** What a client and an administrator have been told. */
class Told {
  /** The receipts that were handed out, by the size that they are about. */
  readonly receipts: { size: number; receipt: string }[] = [];
  readonly committed: string[] = [];

  receipt(size: number, answer: Answered | null): void {
    if (answer?.status === 200) this.receipts.push({ size, receipt: answer.body.receipt! });
  }
}

/** Two appends, one of them with an entry that is no event, a check-in, and an event of the tenant's own log. */
async function live(dying: Dying, device: TestDevice, told: Told): Promise<void> {
  const { node, mortal } = dying;
  const from = device.leaves.length;
  device.record(1);
  device.record(1, { action: 7 });
  device.record(2);
  for (const [old, size] of [
    [from, from + 2],
    [from + 2, from + 4],
    [from + 4, from + 4],
  ] as const) {
    if (!mortal.isDead) told.receipt(size, await unlessDead(dying, node.send(device, old, size, {})));
  }
  if (mortal.isDead) return;
  const event = { tenant: TENANT, action: 'tenant.created', actor: INGEST_ACTOR, at: 0 } as const;
  const id = randomUUID();
  const { registry, tenantLog } = node.ingest.context;
  const made = registry.transaction((trx) => enqueueEvent(trx, { ...event, id }));
  if ((await unlessDead(dying, made)) === null) return;
  told.committed.push(id);
  tenantLog.wake();
  await unlessDead(dying, node.tenantEvents());
}

/** That a new node finds all that was told, and each entry once. */
async function check(device: TestDevice, told: Told): Promise<number> {
  const node = await harness.node();
  await node.ingest.ready();
  const acknowledged = Math.max(0, ...told.receipts.map(({ size }) => size));
  const before = await delivered(node, device);
  expect(before.length).toBeGreaterThanOrEqual(acknowledged);
  expect(before).toEqual(textsOf(device).slice(0, before.length));
  for (const { size, receipt } of told.receipts) {
    expect(await harness.receiptTime(device, size, receipt)).not.toBeNull();
  }
  await replay(node, device);
  expect(await delivered(node, device)).toEqual(textsOf(device));
  const ids = (await node.tenantEvents()).map(({ id }) => String(id));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => told.committed.includes(id))).toEqual(told.committed);
  const repeats = (await node.recordsOf(device)).length - device.leaves.length;
  await node.close();
  return repeats;
}

describe('a node that dies at any one of its awaits', () => {
  it('between the append and the move of the heads, or anywhere around: nothing told is lost, nothing doubled (INV-06)', async () => {
    const probe = await harness.node();
    const device = await harness.enrolled(probe);
    await probe.close();
    const told = new Told();
    let deaths = 0;
    let repeats = 0;
    for (let isAlive = false; !isAlive;) {
      const dying = await mortalNode();
      await dying.node.ingest.ready();
      dying.mortal.dieAt(deaths);
      await live(dying, device, told);
      dying.mortal.dieAt(Infinity);
      isAlive = !dying.mortal.isDead;
      await bury(dying);
      repeats = await check(device, told);
      if (!isAlive) deaths++;
      if (deaths > POINTS_MAX) throw new Error('the points do not end');
    }
    console.log(`${deaths} deaths, ${device.leaves.length} entries, ${repeats} raw repeats in the log`);
    expect(deaths).toBeGreaterThan(30);
  }, 120_000);

  it('while it reads what a dead one left behind: the next one reads it all the same (INV-09)', async () => {
    const probe = await harness.node();
    const device = await harness.enrolled(probe);
    await probe.close();
    let deaths = 0;
    for (let isAlive = false; !isAlive;) {
      // Its newest append stands in the log, and its registry does not know.
      const first = await mortalNode();
      await first.node.ingest.ready();
      const size = device.leaves.length;
      device.record(2);
      first.mortal.dieAppended();
      expect(await unlessDead(first, first.node.send(device, size))).toBeNull();
      await bury(first);

      isAlive = !(await diesStarting(deaths));
      await check(device, new Told());
      if (!isAlive) deaths++;
      if (deaths > POINTS_MAX) throw new Error('the points do not end');
    }
    expect(deaths).toBeGreaterThan(10);
  }, 120_000);
});

describe('a node that fails at any two of its awaits and lives on', () => {
  it('answers, serves again by itself, and nothing told is lost, nothing doubled (INV-06)', async () => {
    const probe = await harness.node();
    const device = await harness.enrolled(probe);
    await probe.close();
    const { node, mortal } = await mortalNode();
    await node.ingest.ready();
    const told = new Told();
    let points = 0;
    /** Sends while the awaits at `ns` fail, and answers how many of them did. */
    const failingAt = async (...ns: number[]): Promise<number> => {
      if (++points > POINTS_MAX) throw new Error('the points do not end');
      const from = device.leaves.length;
      device.record(2);
      // So that no rate is used up.
      harness.now += 60_000;
      mortal.failAt(...ns);
      const answer = await node.send(device, from, from + 2, {});
      const { failures } = mortal;
      mortal.failAt();
      told.receipt(from + 2, answer);
      // Whatever was left unknown: the lane takes the next append, and every one after it.
      await eventually(() => node.ingest.isReady());
      await replay(node, device);
      return failures;
    };
    for (let first = 0; (await failingAt(first)) === 1; first++) {
      for (let then = first + 1; (await failingAt(first, then)) === 2; then++);
    }
    await node.close();
    await check(device, told);
    expect(points).toBeGreaterThan(30);
  }, 60_000);
});
