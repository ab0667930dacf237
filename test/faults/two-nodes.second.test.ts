import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesEqual, parseCheckpointNote, rootOf } from '@tachograph/wire';
import { createEnrolmentToken } from '../support/admin.ts';
import { enrolDeviceWith, type TestDevice } from '../support/device.ts';
import type { RawRecord } from '../support/kafka-raw.ts';
import { checkTopic, NOTHING_WRONG } from '../support/log-checker.ts';
import { random } from '../support/random.ts';
import type { Served } from '../support/serve.ts';
import { holdProduce, holdRegistry, outboxEmpty, topicOf } from '../support/holds.ts';
import {
  Cosigned,
  deploy,
  replay,
  send,
  signal,
  TENANT,
  textOf,
  type Deployment,
} from '../support/two-nodes.ts';

const SEED = 20_261_124;
/**
 * Longer than every deadline of an append: the nodes' own (3 s and 10 s), PostgreSQL's for a transaction that is left
 * open (5 s) and for a statement (10 s), Kafka's for a request (15 s).
 */
const STOPPED_MS = 16_000;

describe('two ingest nodes on one Kafka topic and one PostgreSQL registry', () => {
  let deployment: Deployment;
  let a: Served;
  let b: Served;
  let cosigned: Cosigned;
  const devices: TestDevice[] = [];
  /** Logs of which two histories may stand in the topic: readers drop one, and a stock client sees both. */
  const forked = new Set<string>();

  beforeAll(async () => {
    deployment = await deploy();
    cosigned = new Cosigned(deployment.cosigners);
    // At once: neither finds a registry that the other has finished.
    [a, b] = await Promise.all([deployment.node('a', 'proxied'), deployment.node('b')]);
  }, 180_000);
  afterAll(() => deployment?.stop(), 60_000);

  async function enrolled(count: number): Promise<TestDevice[]> {
    const token = await createEnrolmentToken(deployment.control, TENANT, count);
    const made = await Promise.all(
      Array.from({ length: count }, (_, i) => enrolDeviceWith(i % 2 === 0 ? a : b, TENANT, token)),
    );
    devices.push(...made);
    return made;
  }

  function topic(): Promise<RawRecord[]> {
    return topicOf(deployment);
  }

  /** Compares the topic, read by a stock client, with what every device was told. */
  async function expectWhole(): Promise<void> {
    const records = (await topic()).filter(({ headers }) => !forked.has(headers['ce_source'] ?? ''));
    const own = devices.filter(({ origin }) => !forked.has(origin));
    const acknowledged = new Map(
      own.map((device) => [device.origin, device.leaves.slice(0, cosigned.sizeOf(device))]),
    );
    const { rawDuplicates, unacknowledged: _, ...verdict } = checkTopic(records, acknowledged);
    expect(verdict).toEqual(NOTHING_WRONG);
    console.log(`${rawDuplicates} raw duplicates`);
  }

  it('serve devices in turns and at the same time, and acknowledge each entry once (INV-06)', async () => {
    const next = random(SEED);
    const own = await enrolled(12);
    for (let round = 0; round < 6; round++) {
      await Promise.all(
        own.map(async (device) => {
          const old = device.leaves.length;
          device.record(1 + Math.floor(next() * 4));
          const size = device.leaves.length;
          // The same append at both, and a shorter one that one of the two displaces.
          const shorter = old + Math.ceil((size - old) / 2);
          const answers = await Promise.all([
            send(a, device, old, size).then((answer) => ({ answer, size })),
            send(b, device, old, shorter).then((answer) => ({ answer, size: shorter })),
            send(b, device, old, size).then((answer) => ({ answer, size })),
          ]);
          for (const { answer, size: asked } of answers) await cosigned.take(device, asked, answer!);
          expect(answers.filter(({ answer }) => answer!.status === 200).length).toBeGreaterThan(0);
          await replay(next() < 0.5 ? [a, b] : [b, a], device, cosigned);
        }),
      );
    }
    for (const device of own) expect(cosigned.sizeOf(device)).toBe(device.leaves.length);
    await expectWhole();
  }, 120_000);

  it('drain one outbox side by side: each fact of the tenant has one place in its log', async () => {
    await outboxEmpty(deployment);
    const records = (await topic()).filter(({ headers }) => headers['ce_type'] === 'device.enrolled');
    // Drainers that met have both appended: what says the same again, under its own index, every reader drops.
    const facts = new Map(records.map(({ headers, value }) => [headers['ce_id'], value]));
    const ids = [...facts.values()].map(
      (value) => (JSON.parse(value.toString()) as { targets: { id: string }[] }).targets[0]!.id,
    );
    expect(ids.toSorted()).toEqual(devices.map(({ device }) => device).toSorted());
  }, 60_000);

  const zombies = [
    ['whose append is in the topic and not in the registry', holdRegistry],
    ['whose append is on its way to the topic', holdProduce],
  ] as const;
  it.each(zombies)(
    'let a zombie do no harm %s: it goes on with the truth (INV-09)',
    async (_, hold) => {
      const own = await enrolled(8);
      for (const device of own) device.record(2);
      await Promise.all(own.map((device) => replay([a], device, cosigned)));
      // The zombie holds entries of each: half of them the device's own, half of them a copy's, which contradict it.
      const copies = own.map((device) => device.clone());
      const release = await hold(deployment);
      let answered = 0;
      const held: Promise<void>[] = [];
      for (const [i, device] of own.entries()) {
        const copy = copies[i]!;
        copy.record(3);
        if (i % 2 === 0) device.leaves.push(...copy.leaves.slice(2));
        else forked.add(device.origin);
        held.push(tryOnce(a, copy, 2, 5).then(() => void answered++));
      }
      await release.whenUnderWay(own);
      signal(a, 'SIGSTOP');
      expect(answered).toBe(0);
      await release.now();
      try {
        const until = Date.now() + STOPPED_MS;
        do {
          for (const device of own) {
            device.record(2);
            await tryOnce(b, device, cosigned.sizeOf(device), device.leaves.length);
          }
        } while (Date.now() < until);
        await release.late(own);
        expect(answered).toBe(0);
      } finally {
        signal(a, 'SIGCONT');
      }
      await Promise.all(held);
      // Whoever was first in the topic has won, once and for all, and both nodes say so.
      for (const [i, device] of own.entries()) {
        const winner = (await isAccepted(device)) ? device : copies[i]!;
        winner.record(1);
        await replay([a, b], winner, cosigned);
        await replay([b, a], winner, cosigned);
      }
      await expectWhole();
    },
    180_000,
  );

  /** One try, without an opinion on its outcome. */
  async function tryOnce(node: Served, device: TestDevice, old: number, size: number): Promise<void> {
    const answer = await send(node, device, old, size);
    if (answer !== null) await cosigned.take(device, size, answer);
  }

  /** Whether the log that ingest has is this holder's, and not its copy's. */
  async function isAccepted(device: TestDevice): Promise<boolean> {
    const answer = await send(b, device, 0, device.leaves.length);
    if (answer?.status === 200) return true;
    const head = parseCheckpointNote(textOf(answer?.body ?? {}, 'checkpoint'));
    if (!head.ok) throw new Error(JSON.stringify(answer));
    const { size, root } = head.value;
    return size <= device.leaves.length && bytesEqual(rootOf(device.range(size)), root);
  }

  it('tell the clone of a device whose append a dying node left in the topic, and report the fork once', async () => {
    const [device] = (await enrolled(1)) as [TestDevice];
    device.record(2);
    await replay([a, b], device, cosigned);
    const clone = device.clone();
    forked.add(device.origin);
    device.record(1);
    clone.record(1);
    // The dying node appends, and cannot move the head: somebody holds the partition's row.
    const held = await holdRegistry(deployment);
    const lost = send(a, device, 2, 3);
    await held.whenUnderWay([device]);
    await a.kill();
    expect(await lost).toBeNull();
    await held.now();

    const told = await send(b, clone, 2, 3);
    expect([409, 422]).toContain(told?.status);
    await cosigned.take(clone, 3, told!);
    a = await deployment.node('a2');
    for (const node of [a, b]) expect([409, 422]).toContain((await send(node, clone, 2, 3))?.status);
    device.record(1);
    await replay([a, b], device, cosigned);
    await outboxEmpty(deployment);
    const forks = (await topic()).filter(({ headers }) => headers['ce_type'] === 'log.forked');
    const own = forks.filter(({ value }) => value.toString().includes(device.device));
    expect(own).toHaveLength(1);
  }, 120_000);

  it('read the topic again where the registry is put back to an earlier state under their feet (INV-09)', async () => {
    const [device, other] = (await enrolled(2)) as [TestDevice, TestDevice];
    for (const one of [device, other]) one.record(2);
    await Promise.all([device, other].map((one) => replay([a, b], one, cosigned)));
    const tables = ['partitions', 'heads', 'windows', 'cosigned', 'rejections', 'sightings'];
    const run = (statement: (table: string) => string): string =>
      deployment.postgres.psql(deployment.databaseUrl, `begin; ${tables.map(statement).join(';')}; commit`);
    run((table) => `create table kept_${table} as select * from ${table}`);
    for (let i = 0; i < 3; i++) {
      device.record(2);
      await replay([a, b], device, cosigned);
    }
    run((table) => `delete from ${table}; insert into ${table} select * from kept_${table}`);
    // Its copy knows no more than the registry does, and gets nowhere with it.
    const copy = device.clone();
    copy.leaves.splice(2);
    copy.record(1);
    expect(await send(b, copy, 2, 3)).toMatchObject({ status: 409, body: { size: 8 } });
    forked.add(device.origin);
    device.record(1);
    await replay([a, b], device, cosigned);
    other.record(1);
    await replay([b, a], other, cosigned);
    await expectWhole();
  }, 60_000);

  it('answer 503 while the registry is away, and go on by themselves when it is back', async () => {
    const [device] = (await enrolled(1)) as [TestDevice];
    device.record(1);
    await deployment.postgres.crash();
    for (const node of [a, b]) {
      const answer = await send(node, device, 0, 1);
      expect(answer).toMatchObject({ status: 503, body: { code: 'ERR_REGISTRY_UNAVAILABLE' } });
      expect((await fetch(`${node.url}/readyz`)).status).toBe(503);
    }
    await deployment.postgres.start();
    await replay([a, b], device, cosigned);
    await expectWhole();
  }, 60_000);
});
