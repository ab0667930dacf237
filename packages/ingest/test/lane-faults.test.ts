import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppendOutcome, EventLog } from '@tachograph/event-log';
import type { Registry } from '../src/registry/registry.ts';
import { Harness, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

/** The leaves that a reader delivers of a device's log. */
async function delivered(node: Node, device: TestDevice): Promise<string[]> {
  return (await node.delivered(device.origin)).map(({ value }) => Buffer.from(value).toString());
}

function textsOf(device: TestDevice): string[] {
  return device.leaves.map((leaf) => Buffer.from(leaf).toString());
}

async function headOf(node: Node, { device }: TestDevice) {
  return node.registry.db
    .selectFrom('heads')
    .select(['size', 'range', 'checkpoint', 'cosigned_seconds'])
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
}

/** A log whose next append ends as `fault` says. */
type Fault = 'throws-before' | 'throws-after' | 'ambiguous-absent' | 'ambiguous-present' | 'never';
class FaultyLog {
  fault: Fault = 'never';
  wrap = (log: EventLog): EventLog => ({
    describe: () => log.describe(),
    offsets: (partition) => log.offsets(partition),
    readRange: (partition, from, to) => log.readRange(partition, from, to),
    openGroup: (group) => log.openGroup(group),
    close: () => log.close(),
    append: async (partition, records, deadline): Promise<AppendOutcome> => {
      const { fault } = this;
      this.fault = 'never';
      if (fault === 'throws-before') throw new Error('injected before the append');
      if (fault === 'ambiguous-absent') return { kind: 'ambiguous', cause: new Error('injected') };
      const outcome = await log.append(partition, records, deadline);
      if (fault === 'throws-after') throw new Error('injected after the append');
      return fault === 'ambiguous-present' ? { kind: 'ambiguous', cause: new Error('injected') } : outcome;
    },
  });
}

/** A registry that fails at the n-th transaction from now on, before it begins or after it committed. */
class FaultyRegistry {
  failBefore = Infinity;
  failAfter = Infinity;
  wrap = (registry: Registry): Registry => ({
    ...registry,
    transaction: (work) => this.#fail(() => registry.transaction(work)),
    checkpoint: (work) => this.#fail(() => registry.checkpoint(work)),
  });

  async #fail<T>(transaction: () => Promise<T>): Promise<T> {
    if (--this.failBefore < 0) throw new Error('injected before the transaction');
    const result = await transaction();
    if (--this.failAfter < 0) throw new Error('injected after the commit');
    return result;
  }
}

/** Sends what `device` holds as a client does: from the size that ingest names, until all of it has a receipt. */
async function replay(node: Node, device: TestDevice): Promise<void> {
  let old = 0;
  for (let attempt = 0; attempt < 20; attempt++) {
    const { status, body } = await node.send(device, old);
    if (status === 200) return;
    if (status === 409) old = body.size!;
    if (status === 409 && old === device.leaves.length) return;
  }
  throw new Error('the replay did not end');
}

describe('an append whose outcome is lost on the way from the log', () => {
  const cases: [Fault, number][] = [
    ['throws-before', 503],
    ['ambiguous-absent', 503],
    ['throws-after', 200],
    ['ambiguous-present', 200],
  ];
  it.each(cases)('%s: reading the log tells, and the answer is %d', async (fault, status) => {
    const faulty = new FaultyLog();
    const node = await harness.node({ log: faulty.wrap });
    const device = await harness.enrolled(node);
    device.record(3);
    await node.send(device, 0, 1);
    faulty.fault = fault;
    const answer = await node.send(device, 1);
    expect(answer.status).toBe(status);
    if (status === 200) expect(await harness.receiptTime(device, 3, answer.body.receipt!)).not.toBeNull();
    else expect(answer).toMatchObject({ retryAfter: '2', body: { code: 'ERR_LOG_UNAVAILABLE' } });
    await replay(node, device);
    expect(await delivered(node, device)).toEqual(textsOf(device));
    expect(await node.recordsOf(device)).toHaveLength(3);
  });
});

describe('a node that dies between the append and the move of the heads', () => {
  const ends = [
    ['failBefore', 503],
    ['failAfter', 200],
  ] as const;
  it.each(ends)('%s (%d): the next one reads what was appended', async (where, status) => {
    const faulty = new FaultyRegistry();
    const first = await harness.node({ registry: faulty.wrap });
    await first.ingest.ready();
    const device = await harness.enrolled(first);
    device.record(4);
    expect((await first.send(device, 0, 2)).status).toBe(200);
    faulty[where] = 0;
    const lost = await first.send(device, 2);
    // What was not settled is not acknowledged; what was, is found by reading.
    expect(lost.status).toBe(status);
    const second = await harness.node();
    await second.ingest.ready();
    const head = await second.registry.db.selectFrom('heads').select('size').executeTakeFirstOrThrow();
    expect(head.size).toBe(4);
    expect(await second.send(device, 4, 4)).toMatchObject({ status: 200 });
    await replay(second, device);
    expect(await delivered(second, device)).toEqual(textsOf(device));
    expect(await second.recordsOf(device)).toHaveLength(4);
  });

  it('at any transaction of a replay loses nothing that has a receipt, and doubles nothing (INV-06)', async () => {
    const probe = await harness.node();
    const device = await harness.enrolled(probe);
    await probe.close();
    for (let at = 0; at < 4; at++) {
      for (const where of ['failBefore', 'failAfter'] as const) {
        const faulty = new FaultyRegistry();
        const node = await harness.node({ registry: faulty.wrap });
        await node.ingest.ready();
        const old = device.leaves.length;
        device.record(3);
        faulty[where] = at;
        for (let i = old; i < old + 3; i++) await node.send(device, i, i + 1);
        faulty[where] = Infinity;
        await node.close();
        const next = await harness.node();
        await next.ingest.ready();
        await replay(next, device);
        expect(await delivered(next, device)).toEqual(textsOf(device));
        await next.close();
      }
    }
  });
});

describe('two nodes over one log and one registry', () => {
  it('serve one device in turns, and each knows what the other has settled', async () => {
    const [a, b] = [await harness.node(), await harness.node()];
    const device = await harness.enrolled(a);
    for (let i = 0; i < 12; i++) {
      device.record(2);
      const { status } = await (i % 2 === 0 ? a : b).send(device, 2 * i);
      expect(status).toBe(200);
    }
    expect((await a.send(device, 4, 6)).body.size).toBe(24);
    expect(await delivered(a, device)).toEqual(textsOf(device));
  });

  it('take twenty devices at once, each device from both sides, and acknowledge each leaf once', async () => {
    const nodes = [await harness.node(), await harness.node()];
    const devices = await Promise.all(Array.from({ length: 20 }, () => harness.enrolled(nodes[0]!)));
    await Promise.all(
      devices.map(async (device) => {
        for (let round = 0; round < 4; round++) {
          device.record(2);
          await Promise.all(nodes.map((node) => replay(node, device)));
        }
      }),
    );
    for (const device of devices) expect(await delivered(nodes[0]!, device)).toEqual(textsOf(device));
  });

  it('tell a clone whose other half was appended by a node that died: the first in the topic wins', async () => {
    const faulty = new FaultyRegistry();
    const [dying, other] = [await harness.node({ registry: faulty.wrap }), await harness.node()];
    await Promise.all([dying.ingest.ready(), other.ingest.ready()]);
    const device = await harness.enrolled(dying);
    device.record(2);
    await dying.send(device, 0);
    const clone = device.clone();
    device.record(1);
    clone.record(1);
    faulty.failBefore = 0;
    expect((await dying.send(device, 2)).status).toBe(503);
    const told = await other.send(clone, 2);
    expect(told).toMatchObject({ status: 409, body: { size: 3 } });
    expect((await other.send(device, 3, 3)).status).toBe(200);
    expect(await delivered(other, device)).toEqual(textsOf(device));
    const forks = await other.registry.db.selectFrom('forks').select('submitted_checkpoint').execute();
    expect(forks).toEqual([{ submitted_checkpoint: await clone.checkpoint() }]);
  });
});

describe('a registry that lost its memory', () => {
  it('heals by reading the log: heads, windows and rejections are there again (INV-09)', async () => {
    const first = await harness.node();
    const device = await harness.enrolled(first);
    device.record(3);
    device.leaves.push(Uint8Array.of(0xff));
    await first.send(device, 0, 2);
    await first.send(device, 2, 4);
    const { db } = first.registry;
    const before = await db.selectFrom('heads').select(['size', 'range', 'checkpoint']).execute();
    await first.close();
    const registry = await harness.openRegistry();
    for (const table of ['heads', 'windows', 'cosigned', 'rejections'] as const) {
      await registry.db.deleteFrom(table).execute();
    }
    await registry.db.updateTable('partitions').set({ settled_offset: 0, version: 0 }).execute();
    await registry.close();
    const second = await harness.node();
    await second.ingest.ready();
    expect(
      await second.registry.db.selectFrom('heads').select(['size', 'range', 'checkpoint']).execute(),
    ).toEqual(before);
    const { status, body } = await second.send(device, 0, 4);
    expect(status).toBe(409);
    expect(body).toMatchObject({ size: 4, rejected: [{ index: 3, code: 'ERR_LEAF_UTF8' }] });
    device.record(1);
    expect((await second.send(device, 4)).status).toBe(200);
  });

  it('heals by reading when it has lost only what it settled last, as a power cut may leave it (INV-09)', async () => {
    const [file, wal, shm] = ['', '-wal', '-shm'].map((end) => join(harness.folder, `registry.sqlite${end}`));
    const first = await harness.node();
    const device = await harness.enrolled(first);
    device.record(5);
    await first.send(device, 0, 2);
    await first.close();
    const early = [file!, wal!].filter(existsSync).map((path) => [path, readFileSync(path)] as const);
    const second = await harness.node();
    await second.ingest.ready();
    const { body } = await second.send(device, 2, 4);
    const before = await headOf(second, device);
    await second.close();
    for (const path of [file!, wal!, shm!]) rmSync(path, { force: true });
    for (const [path, bytes] of early) writeFileSync(path, bytes);
    const third = await harness.node();
    expect((await headOf(third, device)).size).toBe(2);
    await third.ingest.ready();
    const { cosigned_seconds: healedAt, ...healed } = await headOf(third, device);
    expect(before).toMatchObject(healed);
    expect(healedAt).toBeGreaterThanOrEqual((await harness.receiptTime(device, 4, body.receipt!))!);
    expect((await third.send(device, 4)).status).toBe(200);
    expect(await delivered(third, device)).toEqual(textsOf(device));
  });

  it('stops a lane whose log is shorter than what was settled', async () => {
    const registry = await harness.openRegistry();
    const probe = await harness.node();
    await probe.ingest.ready();
    await registry.db.updateTable('partitions').set({ settled_offset: 99 }).execute();
    const node = await harness.node();
    await node.ingest.ready();
    expect(node.ingest.isReady()).toBe(false);
    const device = await harness.enrolled(node);
    expect(await node.send(device, 0)).toMatchObject({ status: 503, body: { code: 'ERR_LOG_TRUNCATED' } });
    await registry.close();
  });
});

describe('a lane', () => {
  it('turns requests away at once when too many bytes wait, and takes them again afterwards', async () => {
    await harness.close();
    harness = await Harness.create({ laneBytesMax: 50_000 });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const node = await harness.node({
      log: (log) => ({
        describe: () => log.describe(),
        offsets: (partition) => log.offsets(partition),
        readRange: (partition, from, to) => log.readRange(partition, from, to),
        openGroup: (group) => log.openGroup(group),
        close: () => log.close(),
        append: async (partition, records, deadline) => {
          await held;
          return log.append(partition, records, deadline);
        },
      }),
    });
    await node.ingest.ready();
    const installation = 'one-lane';
    const devices = await Promise.all(
      Array.from({ length: 20 }, () => harness.enrolled(node, { installation })),
    );
    for (const device of devices) device.record(5);
    const answers = devices.map((device) => node.send(device, 0));
    const refused = await Promise.any(
      answers.map(async (answer) => {
        const { status, body, retryAfter } = await answer;
        if (status !== 503) throw new Error(`answered ${status}`);
        return { code: body.code, retryAfterSeconds: body.retryAfterSeconds, retryAfter };
      }),
    );
    expect(refused).toEqual({ code: 'ERR_OVERLOADED', retryAfterSeconds: 2, retryAfter: '2' });
    release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    for (const device of devices) await replay(node, device);
    for (const device of devices) expect(await node.recordsOf(device)).toHaveLength(5);
  });

  it('settles what is in flight when the node is closed, and answers it', async () => {
    const node = await harness.node();
    await node.ingest.ready();
    const devices = await Promise.all(Array.from({ length: 10 }, () => harness.enrolled(node)));
    for (const device of devices) device.record(3);
    const sent = devices.map((device) => node.send(device, 0).catch(() => null));
    await sent[0];
    await node.close();
    const answers = await Promise.all(sent);
    const next = await harness.node();
    await next.ingest.ready();
    for (const [i, device] of devices.entries()) {
      if (answers[i]?.status === 200) expect(await next.recordsOf(device)).toHaveLength(3);
      await replay(next, device);
      expect(await delivered(next, device)).toEqual(textsOf(device));
    }
  });

  it('refuses a registry that belongs to a log with another number of partitions', async () => {
    const node = await harness.node();
    await node.registry.db.updateTable('meta').set({ value: '7' }).where('key', '=', 'partitions').execute();
    await expect(harness.node()).rejects.toThrow(
      'the log has 4 partitions, and the registry belongs to one with 7',
    );
  });
});
