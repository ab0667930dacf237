import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { delivered, Harness, replay, type Node } from './harness.ts';
import { textsOf, type TestDevice } from './test-device.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

async function headOf(node: Node, { device }: TestDevice) {
  return node.registry.db
    .selectFrom('heads')
    .select(['size', 'range', 'checkpoint', 'cosigned_seconds'])
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
}

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
  it('stays stopped where a write that was cut back has made the log longer than what was settled', async () => {
    let isCut = false;
    const node = await harness.node({
      log: (log) => ({
        describe: () => log.describe(),
        offsets: (partition) => log.offsets(partition),
        readRange: (partition, from, to) => log.readRange(partition, from, to),
        openGroup: (group) => log.openGroup(group),
        close: () => log.close(),
        append: async (partition, records, deadline) => {
          const outcome = await log.append(partition, records, deadline);
          return isCut && outcome.kind === 'appended' ? { ...outcome, baseOffset: 0 } : outcome;
        },
      }),
    });
    await node.ingest.ready();
    const device = await harness.enrolled(node);
    device.record(5);
    expect((await node.send(device, 0)).status).toBe(200);
    isCut = true;
    device.record(10);
    for (let times = 0; times < 2; times++) {
      expect(await node.send(device, 5)).toMatchObject({ status: 503, body: { code: 'ERR_LOG_TRUNCATED' } });
    }
    expect(node.ingest.isReady()).toBe(false);
    expect((await headOf(node, device)).size).toBe(5);
  });

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
