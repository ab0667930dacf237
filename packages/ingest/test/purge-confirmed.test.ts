import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Harness, type Node, TENANT } from './harness.ts';
import type { TestDevice } from './test-device.ts';

let harness: Harness;
let node: Node;
let device: TestDevice;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  device = await harness.enrolled(node, { status: 'revoked', revoked_at: harness.now });
  await node.registry.db
    .insertInto('directives')
    .values({
      id: 'd-1',
      tenant: TENANT,
      device: device.device,
      note: 'the directive',
      issued_at: harness.now,
      confirmed_at: null,
    })
    .execute();
});
afterEach(() => harness.close());

const purged = { action: 'cache.purged', data: { directive: 'd-1', scopes: ['*'], stores: 1, counts: {} } };

async function confirmed(of = node): Promise<unknown[]> {
  const events = await of.tenantEvents();
  return events.filter(({ action }) => action === 'purge.confirmed').map(({ data }) => data);
}

describe('a directive', () => {
  it('goes with every answer until the device says in its log that it was carried out, which is told once', async () => {
    device.record(1);
    expect((await node.send(device, 0)).body.directives).toEqual(['the directive']);
    device.record(2, purged);
    expect((await node.send(device, 1)).body.directives).toEqual([]);
    device.record(1, purged);
    expect((await node.send(device, 3)).body.directives).toEqual([]);
    node.ingest.context.tenantLog.wake();
    expect(await confirmed()).toEqual([{ directive: 'd-1' }]);
  });

  it('is not confirmed by another device', async () => {
    const other = await harness.enrolled(node);
    other.record(1, purged);
    await node.send(other, 0);
    expect((await node.send(device, 0, 0)).body.directives).toEqual(['the directive']);
    expect(await confirmed()).toEqual([]);
  });

  it('is confirmed by reading, where the node died before it settled what it had appended', async () => {
    let dies = false;
    const dying = await harness.node({
      registry: (registry) => ({
        ...registry,
        transaction: async (work) => {
          if (dies) throw new Error('injected before the transaction');
          return registry.transaction(work);
        },
      }),
    });
    await dying.ingest.ready();
    dies = true;
    device.record(1, purged);
    expect((await dying.send(device, 0)).status).toBe(503);
    const next = await harness.node();
    await next.ingest.ready();
    next.ingest.context.tenantLog.wake();
    expect((await next.send(device, 1)).body.directives).toEqual([]);
    expect(await confirmed(next)).toEqual([{ directive: 'd-1' }]);
  });
});
