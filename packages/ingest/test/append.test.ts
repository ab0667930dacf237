import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER, REJECTED_TYPE } from '@tachograph/event-log';
import {
  bytesEqual,
  LEASE_NOTE,
  openStatement,
  parseCheckpointNote,
  rootOf,
  utf8,
  verifyCosignature,
} from '@tachograph/wire';
import { Harness, TENANT, type Node } from './harness.ts';
import { testLeaf } from './test-device.ts';

let harness: Harness;
let node: Node;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await node.ingest.ready();
});
afterEach(() => harness.close());

describe('an append that continues its log', () => {
  it('is answered with a receipt that verifies, and its leaves stand in the log as they were sent', async () => {
    const device = await harness.enrolled(node);
    device.record(3);
    const { status, body } = await node.send(device, 0);
    expect(status).toBe(200);
    expect(body.rejected).toEqual([]);
    expect(await harness.receiptTime(device, 3, body.receipt!)).toBe(Math.floor(harness.now / 1000));
    const records = await node.recordsOf(device);
    expect(records.map(({ value }) => Buffer.from(value))).toEqual(
      device.leaves.map((leaf) => Buffer.from(leaf)),
    );
    const [first, , last] = records.map(({ headers }) => headers);
    expect(first).toMatchObject({
      [HEADER.specVersion]: '1.0',
      [HEADER.type]: 'item.reveal',
      [HEADER.tenant]: TENANT,
      [HEADER.sequence]: '0000000000000000',
      [HEADER.deviceStatus]: 'enrolled',
      [HEADER.estimate]: 'unbounded',
      [HEADER.recordedTime]: new Date(harness.now).toISOString(),
    });
    expect(first![HEADER.id]).toMatch(new RegExp(`^${device.device}/0/[0-9a-f]{12}$`));
    expect(Object.keys(first!)).toContain(HEADER.edge);
    expect(Object.keys(first!)).not.toContain(HEADER.receipt);
    expect(Buffer.from(last![HEADER.checkpoint]!, 'base64').toString()).toBe(await device.checkpoint());
  });

  it('carries the newest cosigned checkpoint from its second append on', async () => {
    const device = await harness.enrolled(node);
    device.record(2);
    await node.send(device, 0, 1);
    await node.send(device, 1, 2);
    const records = await node.recordsOf(device);
    const receipt = parseCheckpointNote(
      Buffer.from(records[1]!.headers[HEADER.receipt]!, 'base64').toString(),
    );
    if (!receipt.ok) throw new Error(receipt.fault.detail);
    expect(receipt.value.size).toBe(1);
    const { signatures } = receipt.value.note;
    expect(await verifyCosignature(receipt.value, signatures, harness.keys.cosignerKeys)).not.toBeNull();
  });

  it('is not appended again when its answer was lost: the device is told the size (INV-07)', async () => {
    const device = await harness.enrolled(node);
    device.record(5);
    await node.send(device, 0);
    const { status, body } = await node.send(device, 0);
    expect(status).toBe(409);
    expect(body.code).toBe('ERR_SIZE_CONFLICT');
    expect(body.size).toBe(5);
    const checkpoint = parseCheckpointNote(body.checkpoint!);
    if (!checkpoint.ok) throw new Error(checkpoint.fault.detail);
    expect(bytesEqual(checkpoint.value.root, rootOf(device.range()))).toBe(true);
    const { signatures } = checkpoint.value.note;
    expect(await verifyCosignature(checkpoint.value, signatures, harness.keys.cosignerKeys)).not.toBeNull();
    expect(await node.recordsOf(device)).toHaveLength(5);
    expect(await node.registry.db.selectFrom('forks').selectAll().execute()).toEqual([]);
  });

  it('gets in order and once with 50 devices at once, ten appends each', async () => {
    const devices = await Promise.all(Array.from({ length: 50 }, () => harness.enrolled(node)));
    await Promise.all(
      devices.map(async (device) => {
        for (let round = 0; round < 10; round++) {
          device.record(1 + (round % 3));
          const { status } = await node.send(device, device.leaves.length - 1 - (round % 3));
          expect(status).toBe(200);
        }
      }),
    );
    for (const device of devices) {
      const records = await node.recordsOf(device);
      expect(records.map(({ value }) => Buffer.from(value).toString())).toEqual(
        device.leaves.map((leaf) => Buffer.from(leaf).toString()),
      );
    }
  });

  it('never takes a receipt back in time when the clock of the server is set back', async () => {
    const device = await harness.enrolled(node);
    device.record(2);
    await node.send(device, 0, 1);
    const before = Math.floor(harness.now / 1000);
    harness.now -= 3_600_000;
    const { body } = await node.send(device, 1, 2);
    expect(await harness.receiptTime(device, 2, body.receipt!)).toBe(before);
  });
});

describe('a request note', () => {
  it('brings a lease for its nonce, the keys, and the device into sight', async () => {
    const device = await harness.enrolled(node);
    device.record(1);
    const { body } = await node.send(device, 0, 1, {
      nonce: 'n-1',
      pendingCount: 7,
      wallClock: harness.now - 5_000,
    });
    const lease = await openStatement(LEASE_NOTE, body.lease!, [harness.keys.lease.key]);
    if (!lease.ok) throw new Error(lease.fault.detail);
    expect(lease.value).toMatchObject({
      origin: device.origin,
      nonce: 'n-1',
      blockAfterSeconds: 72 * 3600,
      wipeAfterSeconds: 14 * 24 * 3600,
    });
    expect(body.keys).toBe(harness.keys.keysNote);
    const seen = await node.registry.db.selectFrom('sightings').selectAll().executeTakeFirstOrThrow();
    expect(seen).toMatchObject({ pending_count: 7, clock_offset_ms: -5_000, boot: 'boot-1' });
    const [record] = await node.recordsOf(device);
    expect(record!.headers).toMatchObject({ [HEADER.pending]: '7', [HEADER.estimate]: 'wall' });
  });

  it('without leaves is a check-in: a newer receipt, and nothing in the log', async () => {
    const device = await harness.enrolled(node);
    device.record(2);
    await node.send(device, 0);
    harness.now += 60_000;
    const { status, body } = await node.send(device, 2, 2, {});
    expect(status).toBe(200);
    expect(await harness.receiptTime(device, 2, body.receipt!)).toBe(Math.floor(harness.now / 1000));
    expect(body.lease).toBeDefined();
    expect(await node.recordsOf(device)).toHaveLength(2);
  });

  it('is not needed: a receipt comes without it, a lease and keys do not', async () => {
    const device = await harness.enrolled(node);
    const { status, body } = await node.send(device, 0, 0);
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(['directives', 'nextCheckInSeconds', 'receipt', 'rejected']);
  });

  it('refuses the append when another key signed it, or when it is about another log', async () => {
    const [device, other] = [await harness.enrolled(node), await harness.enrolled(node)];
    device.record(1);
    const [plain, foreign] = [await device.append(0), await other.requestNote(1, { origin: device.origin })];
    const forged = Buffer.concat([utf8(`${foreign}\n`), plain]);
    expect(await node.post(device.path, new Uint8Array(forged))).toMatchObject({
      status: 403,
      body: { code: 'ERR_SIGNATURE' },
    });
    const elsewhere = await node.send(device, 0, 1, { origin: other.origin });
    expect(elsewhere).toMatchObject({ status: 400, body: { code: 'ERR_ORIGIN_MISMATCH' } });
    expect(await node.records()).toEqual([]);
  });
});

describe('content', () => {
  it('that is no event keeps its place, is marked in the log and named in the answer, now and after a retry', async () => {
    const device = await harness.enrolled(node);
    const bad = [
      utf8(''),
      Uint8Array.of(0xff),
      utf8('{'),
      utf8('{"a":1,"a":2}'),
      utf8('{"__proto__":1}'),
      utf8('[]'),
      utf8('{}'),
    ];
    const codes = [
      'ERR_LEAF_EMPTY',
      'ERR_LEAF_UTF8',
      'ERR_LEAF_JSON',
      'ERR_LEAF_DUPLICATE_KEY',
      'ERR_LEAF_PROTO',
      'ERR_LEAF_JSON',
      'ERR_LEAF_SCHEMA',
    ];
    device.record(1);
    device.leaves.push(...bad, utf8(`${'['.repeat(10_000)}${']'.repeat(10_000)}`));
    device.leaves.push(testLeaf({ action: 'device.enrolled' }), testLeaf());
    const expected = [...codes, 'ERR_LEAF_DEPTH', 'ERR_LEAF_RESERVED'].map((code, i) => ({
      index: i + 1,
      code,
    }));
    const { status, body } = await node.send(device, 0);
    expect(status).toBe(200);
    expect(body.rejected).toEqual(expected);
    const records = await node.recordsOf(device);
    expect(records).toHaveLength(11);
    expect(records[2]!.headers).toMatchObject({
      [HEADER.type]: REJECTED_TYPE,
      [HEADER.rejected]: 'ERR_LEAF_UTF8',
      [HEADER.contentType]: 'application/octet-stream',
      [HEADER.time]: new Date(harness.now).toISOString(),
    });
    expect(Buffer.from(records[2]!.value)).toEqual(Buffer.from([0xff]));
    expect(records[10]!.headers[HEADER.type]).toBe('item.reveal');
    expect((await node.send(device, 0)).body.rejected).toEqual(expected);
    expect((await node.send(device, 3)).body.rejected).toEqual(expected.filter(({ index }) => index >= 3));
  });
});
