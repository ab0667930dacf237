import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { hashOfToken } from '../src/registry/tokens.ts';
import { Harness, TENANT, type Node } from './harness.ts';
import { TestDevice, testLeaf } from './test-device.ts';

let harness: Harness;
let node: Node;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await node.ingest.ready();
});
afterEach(() => harness.close());

describe('a claim that does not follow', () => {
  it('is 409 ahead of the log, with a null checkpoint where the log is empty', async () => {
    const device = await harness.enrolled(node);
    device.record(4);
    const { status, body } = await node.send(device, 2);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'ERR_SIZE_CONFLICT', size: 0, checkpoint: null });
  });

  it('is 422 where the leaves do not have the signed root, and where an equal size has another root', async () => {
    const device = await harness.enrolled(node);
    device.record(2);
    const damaged = await device.append(0);
    damaged[damaged.length - 5]! ^= 1;
    expect(await node.post(device.path, damaged)).toMatchObject({
      status: 422,
      body: { code: 'ERR_ROOT_MISMATCH', size: 0, checkpoint: null },
    });
    await node.send(device, 0);
    const clone = device.clone();
    clone.leaves[1] = testLeaf();
    expect(await node.send(clone, 2)).toMatchObject({
      status: 422,
      body: { code: 'ERR_ROOT_MISMATCH', size: 2 },
    });
    expect(await node.recordsOf(device)).toHaveLength(2);
  });

  it('is a fork when its leaves reproduce the root it signed and one differs: evidence is kept, an event raised once (INV-15)', async () => {
    const device = await harness.enrolled(node);
    device.record(3);
    await node.send(device, 0);
    const clone = device.clone();
    device.record(4);
    await node.send(device, 3);
    clone.record(2);
    expect(await node.send(clone, 3)).toMatchObject({ status: 409, body: { size: 7 } });
    expect((await node.send(clone, 3)).status).toBe(409);
    const [fork, ...more] = await node.registry.db.selectFrom('forks').selectAll().execute();
    expect(more).toEqual([]);
    expect(fork).toMatchObject({
      device: device.device,
      leaf_index: 3,
      accepted_checkpoint: await device.checkpoint(7),
      submitted_checkpoint: await clone.checkpoint(5),
    });
    const differing = JSON.parse(fork!.differing) as { index: number; leaf: string }[];
    expect(differing.map(({ index }) => index)).toEqual([3, 4]);
    expect(Buffer.from(differing[0]!.leaf, 'base64')).toEqual(Buffer.from(clone.leaves[3]!));
    const events = await node.tenantEvents();
    expect(events.filter(({ action }) => action === 'log.forked')).toEqual([
      expect.objectContaining({ id: fork!.id, data: expect.objectContaining({ index: 3, size: 5 }) }),
    ]);
  });

  it('is stale and no fork when it begins before the window', async () => {
    const device = await harness.enrolled(node);
    device.record(6_000);
    for (let old = 0; old < 6_000; old += 1_000)
      expect((await node.send(device, old, old + 1_000)).status).toBe(200);
    const clone = device.clone();
    clone.leaves[600] = testLeaf();
    expect((await node.send(clone, 500, 700)).status).toBe(409);
    expect(await node.registry.db.selectFrom('forks').selectAll().execute()).toEqual([]);
    clone.leaves[600] = device.leaves[600]!;
    clone.leaves[5_500] = testLeaf();
    expect((await node.send(clone, 5_000, 5_600)).status).toBe(409);
    expect(await node.registry.db.selectFrom('forks').select('leaf_index').execute()).toEqual([
      { leaf_index: 5_500 },
    ]);
  });
});

describe('the status of a device', () => {
  it('decides: pending is 403, quarantined uploads without a lease, unknown is 404', async () => {
    const pending = await harness.enrolled(node, { status: 'pending_approval' });
    pending.record(1);
    expect(await node.send(pending, 0)).toMatchObject({ status: 403, body: { code: 'ERR_DEVICE_PENDING' } });
    const quarantined = await harness.enrolled(node, { status: 'quarantined' });
    quarantined.record(1);
    const { status, body } = await node.send(quarantined, 0, 1, {});
    expect(status).toBe(200);
    expect(body.lease).toBeUndefined();
    const unknown = await TestDevice.create('audit.example.com', TENANT);
    expect(await node.send(unknown, 0)).toMatchObject({ status: 404, body: { code: 'ERR_UNKNOWN_DEVICE' } });
    const nowhere = await TestDevice.create('audit.example.com', 'nowhere');
    expect(await node.send(nowhere, 0)).toMatchObject({ status: 404, body: { code: 'ERR_UNKNOWN_TENANT' } });
  });

  it('revoked still uploads what was recorded, marked before, straddles or after, and without a lease', async () => {
    const revokedAt = harness.now - 60_000;
    const device = await harness.enrolled(node, { status: 'revoked', revoked_at: revokedAt });
    // A receipt from after the revocation: what has seen it is younger.
    await node.send(device, 0, 0, {});
    const seen = { size: 0, time: Math.floor(harness.now / 1000) };
    device.leaves.push(testLeaf({ clock: { boot: 'boot-1', ms: 1_000 } }));
    device.leaves.push(testLeaf({ clock: { boot: 'another', ms: 1_000 } }));
    device.leaves.push(testLeaf({ clock: { boot: 'boot-1', ms: 199_000 }, seen }));
    const { status, body } = await node.send(device, 0, 3, { monotonicMs: 200_000 });
    expect(status).toBe(200);
    expect(body.lease).toBeUndefined();
    const records = await node.recordsOf(device);
    expect(records.map(({ headers }) => headers[HEADER.revocation])).toEqual([
      'before',
      'straddles',
      'after',
    ]);
    expect(records[0]!.headers[HEADER.deviceStatus]).toBe('revoked');
  });
});

describe('the time of an event', () => {
  it('has an earliest bound only from a cosignature that was issued here', async () => {
    const device = await harness.enrolled(node);
    device.record(1);
    await node.send(device, 0);
    const time = Math.floor(harness.now / 1000);
    harness.now += 10_000;
    device.record(1, { seen: { size: 1, time } });
    device.record(1, { seen: { size: 1, time: time + 1 } });
    await node.send(device, 1);
    const earliest = (await node.recordsOf(device)).map(({ headers }) => headers[HEADER.earliest]);
    expect(earliest).toEqual([undefined, new Date(time * 1000).toISOString(), undefined]);
  });
});

describe('the newest checkpoint of a log', () => {
  it('is told to an administrator, cosigned, and to nobody else; an empty or unknown log is 404', async () => {
    const token = 'an-administrator-token-of-enough-length';
    await node.registry.db
      .insertInto('admin_tokens')
      .values({ id: 'a', hash: hashOfToken(token), tenant: null, created_at: harness.now })
      .execute();
    const ask = (path: string, authorization = `Bearer ${token}`) =>
      fetch(`${node.url}${path}/checkpoint`, { headers: { authorization } });
    const device = await harness.enrolled(node);
    expect((await ask(device.path)).status).toBe(404);
    device.record(3);
    const { body } = await node.send(device, 0);
    const reply = await ask(device.path);
    expect(reply.headers.get('content-type')).toContain('text/plain');
    const { text } = (await device.checkpointNote()).note;
    expect(await reply.text()).toBe(`${text}\n${body.receipt}`);
    expect((await ask(device.path, 'Bearer no')).status).toBe(401);
    expect((await ask(`/v1/logs/${TENANT}/${'A'.repeat(43)}`)).status).toBe(404);
  });
});

describe('a successor', () => {
  it('has its carried leaves marked that the predecessor had uploaded already', async () => {
    const first = await harness.enrolled(node);
    first.record(5);
    await node.send(first, 0);
    const second = await harness.enrolled(node, {
      status: 'quarantined',
      predecessor: first.device,
      installation: first.device,
    });
    second.leaves.push(
      testLeaf({ action: 'log.opened', data: { predecessor: first.device, carriedFrom: 3, count: 3 } }),
      first.leaves[3]!,
      first.leaves[4]!,
      testLeaf(),
      testLeaf(),
    );
    await node.send(second, 0, 3);
    await node.send(second, 3, 5);
    const firsts = await node.recordsOf(first);
    const marked = (await node.recordsOf(second)).map(({ headers }) => headers[HEADER.duplicateOf]);
    expect(marked).toEqual([
      undefined,
      firsts[3]!.headers[HEADER.id],
      firsts[4]!.headers[HEADER.id],
      undefined,
      undefined,
    ]);
    expect((await node.recordsOf(second))[0]!.key).toBe(`${TENANT}/${first.device}`);
  });
});
