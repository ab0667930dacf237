import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppendOutcome, EventLog } from '@tachograph/event-log';
import type { Registry } from '../src/registry/registry.ts';
import { delivered, Harness, replay } from './harness.ts';
import { textsOf } from './test-device.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

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
