import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseCheckpointNote, verifyNote, noteKey, SIGNATURE_TYPE } from '@tachograph/wire';
import { HEADER } from '@tachograph/event-log';
import { enqueueEvent } from '../src/tenant-log/outbox.ts';
import { Harness, TENANT, type Node } from './harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

async function enqueue(node: Node, count: number, wake = true): Promise<void> {
  for (let i = 0; i < count; i++) {
    await node.registry.transaction((trx) =>
      enqueueEvent(trx, {
        tenant: TENANT,
        action: 'device.approved',
        actor: { id: 'admin' },
        data: { number: i },
        at: harness.now,
      }),
    );
  }
  if (wake) node.ingest.context.tenantLog.wake();
}

describe('the log of a tenant', () => {
  it('holds what was enqueued, in order, signed as every log is', async () => {
    const node = await harness.node();
    await enqueue(node, 5);
    expect((await node.tenantEvents()).map(({ data }) => data)).toEqual(
      [0, 1, 2, 3, 4].map((number) => ({ number })),
    );
    const records = await node.records();
    const { source, checkpoint } = HEADER;
    const note = parseCheckpointNote(Buffer.from(records.at(-1)!.headers[checkpoint]!, 'base64').toString());
    if (!note.ok) throw new Error(note.fault.detail);
    const key = noteKey(records[0]!.headers[source]!, SIGNATURE_TYPE.ed25519, harness.keys.log.key.publicKey);
    expect(await verifyNote(note.value.note, [key])).toBe(true);
  });

  it('gets what a node left in the outbox when it died, from the next node', async () => {
    const first = await harness.node();
    await first.ingest.ready();
    await enqueue(first, 3, false);
    await first.close();
    const second = await harness.node();
    expect(await second.tenantEvents()).toHaveLength(3);
  });

  it('holds each event once with two drainers at work (INV-20)', async () => {
    const nodes = [await harness.node(), await harness.node()];
    for (let round = 0; round < 5; round++) {
      await enqueue(nodes[round % 2]!, 4);
      for (const node of nodes) node.ingest.context.tenantLog.wake();
    }
    expect(await nodes[0]!.tenantEvents()).toHaveLength(20);
    const head = await nodes[0]!.registry.db.selectFrom('heads').select('size').executeTakeFirstOrThrow();
    expect(head.size).toBe(20);
  });

  it('gives a new index to an event whose index a registry from a backup has given twice', async () => {
    const first = await harness.node();
    await enqueue(first, 3);
    await first.tenantEvents();
    const { db } = first.registry;
    await db.updateTable('tenant_logs').set({ next_index: 1 }).execute();
    await enqueue(first, 1);
    const events = await first.tenantEvents();
    expect(events.map(({ data }) => (data as { number: number }).number)).toEqual([0, 1, 2, 0]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
  });

  it('lets an enqueued event and the fact that it is about become true together or not at all (INV-20)', async () => {
    const node = await harness.node();
    const failed = node.registry.transaction(async (trx) => {
      await enqueueEvent(trx, {
        tenant: TENANT,
        action: 'device.approved',
        actor: { id: 'a' },
        at: harness.now,
      });
      throw new Error('the fact did not happen');
    });
    await expect(failed).rejects.toThrow('the fact did not happen');
    await enqueue(node, 1);
    expect(await node.tenantEvents()).toHaveLength(1);
  });
});
