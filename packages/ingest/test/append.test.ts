import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { Harness, type Node } from './harness.ts';

describe('append', () => {
  let harness: Harness;
  let node: Node;
  beforeEach(async () => {
    harness = await Harness.create();
    node = await harness.node();
    await node.ingest.ready();
  });
  afterEach(() => harness.close());

  it('answers with a receipt that verifies, and every leaf stands in the log as it was sent', async () => {
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
    expect(records[0]!.headers[HEADER.type]).toBe('item.reveal');
  });
});
