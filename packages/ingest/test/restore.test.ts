import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { GatedLog } from './gated-log.ts';
import { AUTHORITY, Harness, TENANT, type Node } from './harness.ts';
import { TestDevice } from './test-device.ts';

let lost: Harness;
let harness: Harness;
let node: Node;
let device: TestDevice;
let receipt: string;
/** A deployment whose registry and log are gone, and a device that holds a receipt for five leaves from before. */
beforeEach(async () => {
  lost = await Harness.create();
  const before = await lost.node();
  device = await lost.enrolled(before);
  device.record(5);
  receipt = (await before.send(device, 0)).body.receipt!;
  harness = await Harness.create({}, lost.keys);
  node = await harness.node();
  await node.ingest.ready();
});
afterEach(async () => {
  await harness.close();
  await lost.close();
});

async function restore(of: TestDevice, body: object) {
  return node.post(`${of.path}/restore`, JSON.stringify(body), 'application/json');
}

describe('a receipt that is brought back', () => {
  it('is adopted: the log goes on after it, and its next append carries it as evidence', async () => {
    await harness.enrol(node, device);
    expect(await restore(device, await device.restore(5, receipt))).toMatchObject({
      status: 200,
      body: { status: 'enrolled', size: 5 },
    });
    device.record(1);
    expect((await node.send(device, 5)).status).toBe(200);
    const [record] = await node.recordsOf(device);
    const evidence = Buffer.from(record!.headers[HEADER.receipt]!, 'base64').toString();
    expect(evidence.split('\n').slice(0, 2)).toEqual([device.origin, '5']);
    const [event] = await node.tenantEvents();
    expect(event).toMatchObject({ action: 'server.lost', data: { origin: device.origin, from: 0, to: 5 } });
  });

  it('makes an unknown device known, in quarantine, and says so once', async () => {
    await restore(device, await device.restore(5, receipt));
    expect(await restore(device, await device.restore(5, receipt))).toMatchObject({
      body: { status: 'quarantined', size: 5 },
    });
    device.record(1);
    const { status, body } = await node.send(device, 5, 6, {});
    expect(status).toBe(200);
    expect(body.lease).toBeUndefined();
    expect((await node.tenantEvents()).map(({ action }) => action)).toEqual([
      'device.restored',
      'server.lost',
    ]);
  });

  it('comes again later where the log is away, and is told so (503)', async () => {
    const log = new GatedLog();
    const behind = await harness.node({ log: log.wrap });
    await behind.ingest.ready();
    await harness.enrol(behind, device);
    log.away();
    node = behind;
    const body = await device.restore(5, receipt);
    expect(await restore(device, body)).toMatchObject({
      status: 503,
      retryAfter: '2',
      body: { code: 'ERR_LOG_UNAVAILABLE' },
    });
    log.back();
    expect((await restore(device, body)).status).toBe(200);
  });

  it('is not adopted over a log that was cut: the code says so', async () => {
    await node.registry.db.updateTable('partitions').set({ settled_offset: 99 }).execute();
    expect(await restore(device, await device.restore(5, receipt))).toMatchObject({
      status: 503,
      body: { code: 'ERR_LOG_TRUNCATED' },
    });
  });

  it('changes nothing where ingest is not behind it', async () => {
    await harness.enrol(node, device);
    device.record(2);
    await node.send(device, 0, 7);
    expect(await restore(device, await device.restore(5, receipt))).toMatchObject({
      status: 200,
      body: { size: 7 },
    });
    expect(await node.tenantEvents()).toEqual([]);
  });

  it('is refused without a cosignature of this authority, with another range, or without the key of the device', async () => {
    const good = await device.restore(5, receipt);
    const stranger = await TestDevice.create(AUTHORITY, TENANT);
    stranger.record(5);
    const refused = [
      { ...good, checkpoint: await device.checkpoint(5) },
      { ...good, range: good.range.toReversed() },
      { ...good, range: good.range.slice(1) },
      { ...good, publicKey: (await stranger.restore(5, receipt)).publicKey },
      { ...good, checkpoint: good.checkpoint.replace('\n5\n', '\n6\n') },
    ];
    for (const body of refused) {
      expect(await restore(device, body)).toMatchObject({ status: 422, body: { code: 'ERR_RESTORE' } });
    }
    const { proof } = await stranger.restore(5, receipt);
    expect(await restore(device, { ...good, proof })).toMatchObject({
      status: 403,
      body: { code: 'ERR_SIGNATURE' },
    });
    expect((await node.send(device, 5, 5)).status).toBe(404);
  });
});

describe('restoring', () => {
  it('has a rate for each address, refused ones included, which holds up nobody who comes later', async () => {
    const bounded = await Harness.create({ restoresPerMinute: 2 }, lost.keys);
    try {
      node = await bounded.node();
      const body = await device.restore(5, receipt);
      const bad = { ...body, range: [] };
      for (let i = 0; i < 2; i++) expect((await restore(device, bad)).body.code).toBe('ERR_RESTORE');
      const refused = await restore(device, body);
      expect(refused).toMatchObject({ status: 429, body: { code: 'ERR_RATE' } });
      bounded.now += Number(refused.retryAfter) * 1000;
      expect((await restore(device, body)).status).toBe(200);
    } finally {
      await bounded.close();
    }
  });
});
