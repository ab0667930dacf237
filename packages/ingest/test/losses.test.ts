import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogMissingError, partitionOf, type EventLog } from '@tachograph/event-log';
import { acceptLosses, findLosses } from '../src/lane/losses.ts';
import type { Registry } from '../src/registry/registry.ts';
import { settledPosition } from '../src/registry/settlement.ts';
import { AUTHORITY, Harness, TENANT, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

let harness: Harness;
let node: Node;
let first: TestDevice;
let second: TestDevice;
let partition: number;

beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await node.ingest.ready();
  first = await harness.enrolled(node);
  partition = partitionIn(first);
  do second = await harness.enrolled(node);
  while (partitionIn(second) !== partition);
  // In the partition: 5 of the first, 4 of the second, 3 of the first.
  first.record(8);
  second.record(4);
  expect((await node.send(first, 0, 5)).status).toBe(200);
  expect((await node.send(second, 0)).status).toBe(200);
  expect((await node.send(first, 5)).status).toBe(200);
});
afterEach(() => harness.close());

function partitionIn({ device }: TestDevice): number {
  return partitionOf(`${TENANT}/${device}`, 4);
}

/** The log as it would be had only [oldest, next) of the partition been left. */
function left(log: EventLog, oldest: number, next: number): EventLog {
  return {
    describe: () => log.describe(),
    offsets: async (of) => (of === partition ? { oldest, next } : log.offsets(of)),
    readRange: (of, from, to) =>
      of === partition
        ? log.readRange(of, Math.max(from, oldest), Math.min(to, next))
        : log.readRange(of, from, to),
    openGroup: (group) => log.openGroup(group),
    append: () => Promise.reject(new Error('nothing is appended here')),
    close: () => log.close(),
  };
}

function ports(log: EventLog): { authority: string; registry: Registry; log: EventLog; clock: () => number } {
  return { authority: AUTHORITY, registry: node.registry, log, clock: () => harness.now };
}

const lossesOf = async (log: EventLog) =>
  (await findLosses(ports(log), partition))?.losses.map(({ device, from, to }) => ({ device, from, to }));

function byDevice(...rows: { device: string; from: number; to: number }[]) {
  return rows.sort((a, b) => (a.device < b.device ? -1 : 1));
}

describe('what a partition has lost', () => {
  it('is nothing where it holds what was settled', async () => {
    expect(await findLosses(ports(node.log), partition)).toBeNull();
    // Also where retention has removed everything: that was meant to go.
    expect(await findLosses(ports(left(node.log, 12, 12)), partition)).toBeNull();
  });

  it('is what stood behind its end, device by device, an append that is cut in two included', async () => {
    expect(await lossesOf(left(node.log, 0, 9))).toEqual([{ device: first.device, from: 5, to: 8 }]);
    const [one, other] = [
      { device: first.device, from: 5, to: 8 },
      { device: second.device, from: 0, to: 4 },
    ];
    expect(await lossesOf(left(node.log, 0, 7))).toEqual(byDevice(one, other));
  });

  it('is everything where nothing is left, or no topic is there', async () => {
    const everything = byDevice(
      { device: first.device, from: 0, to: 8 },
      { device: second.device, from: 0, to: 4 },
    );
    expect(await lossesOf(left(node.log, 0, 0))).toEqual(everything);
    const gone = {
      ...left(node.log, 0, 0),
      offsets: () => Promise.reject(new LogMissingError('audit.events', null)),
    };
    expect(await lossesOf(gone)).toEqual(everything);
  });

  it('is not what had expired before', async () => {
    // The second one's entries went by retention, then the first one's last append by the loss.
    expect(await lossesOf(left(node.log, 9, 9))).toEqual([{ device: first.device, from: 0, to: 8 }]);
    expect(await lossesOf(left(node.log, 5, 9))).toEqual([{ device: first.device, from: 0, to: 8 }]);
  });

  it('is told by the mark where other records stand as far as was settled', async () => {
    await node.registry.db
      .updateTable('partitions')
      .set({ mark: `11 ${'0'.repeat(64)}` })
      .where('partition', '=', partition)
      .execute();
    const found = await findLosses(ports(node.log), partition);
    // Nothing is missing, all the same: what is there is what was settled.
    expect(found).toMatchObject({ losses: [], resumeAt: 12 });
    expect(found!.reason).toContain('other records');
  });
});

describe('accepting a loss', () => {
  it('settles as far as the registry knows what is left, keeps the heads and tells the tenant', async () => {
    const cut = left(node.log, 0, 9);
    const before = await settledPosition(node.registry.db, partition);
    expect(await acceptLosses(ports(cut), partition)).toMatchObject({ resumeAt: 9 });
    const after = await settledPosition(node.registry.db, partition);
    expect(after.offset).toBe(9);
    expect(after.version).not.toBe(before.version);
    expect(after.mark).toMatch(/^8 [0-9a-f]{64}$/);
    expect(await findLosses(ports(cut), partition)).toBeNull();
    const heads = await node.registry.db.selectFrom('heads').select(['device', 'size']).execute();
    expect(heads).toContainEqual({ device: first.device, size: 8 });
    const leaves = await node.registry.db.selectFrom('outbox').select('leaf').execute();
    const facts = leaves.map(({ leaf }) => JSON.parse(Buffer.from(leaf).toString()) as { action: string });
    expect(facts.filter(({ action }) => action === 'server.lost')).toMatchObject([
      {
        outcome: 'failure',
        targets: [{ type: 'device', id: first.device }],
        data: { origin: first.origin, from: 5, to: 8 },
      },
    ]);
  });

  it('changes nothing where nothing is lost', async () => {
    const before = await settledPosition(node.registry.db, partition);
    expect(await acceptLosses(ports(node.log), partition)).toBeNull();
    expect(await settledPosition(node.registry.db, partition)).toEqual(before);
  });
});
