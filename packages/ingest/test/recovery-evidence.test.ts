import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatEdge, HEADER, partitionOf, type LogRecord } from '@tachograph/event-log';
import { cosign, toBase64, utf8 } from '@tachograph/wire';
import { Harness, TENANT, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

/** Ten leaves are settled; a second history of the same device has the first three of them and others behind. */
describe('recovery, at an append whose edge contradicts the settled log', () => {
  let harness: Harness;
  let node: Node;
  let device: TestDevice;
  let other: TestDevice;
  const settledSeconds = (): number => Math.floor(harness.now / 1000);

  beforeEach(async () => {
    harness = await Harness.create();
    node = await harness.node();
    device = await harness.enrolled(node);
    device.record(3);
    other = device.clone();
    device.record(7);
    other.record(6);
    await node.post(device.path, await device.append(0));
  });
  afterEach(() => harness.close());

  /** What another node wrote: the leaves of `history` from `old` on, vouched for at `seconds`. */
  async function write(history: TestDevice, old: number, size: number, seconds: number): Promise<void> {
    const key = `${TENANT}/${history.device}`;
    const receipt = await cosign(await history.checkpointNote(old), seconds, harness.keys.cosigners[0]!);
    const base64 = (note: string): string => toBase64(utf8(note));
    const first = {
      [HEADER.edge]: formatEdge(history.range(old)),
      [HEADER.receipt]: base64(`${await history.checkpoint(old)}${receipt}`),
    };
    const last = { [HEADER.checkpoint]: base64(await history.checkpoint(size)) };
    const leaves = history.leaves.slice(old, size);
    const records = leaves.map((value, i): LogRecord => {
      const ends = { ...(i === 0 ? first : {}), ...(i === leaves.length - 1 ? last : {}) };
      return { key, value, headers: { [HEADER.source]: history.origin, ...ends } };
    });
    const { partitions } = await node.log.describe();
    await node.log.append(partitionOf(key, partitions), records, AbortSignal.timeout(5_000));
  }

  async function sizeAfterRestart(): Promise<number> {
    await node.close();
    node = await harness.node();
    await node.ingest.ready();
    const row = await node.registry.db
      .selectFrom('heads')
      .select('size')
      .where('device', '=', device.device)
      .executeTakeFirstOrThrow();
    return row.size;
  }

  it('goes on with it where ingest vouched for its edge, as every reader does', async () => {
    await write(other, 5, 9, settledSeconds());
    expect(await sizeAfterRestart()).toBe(9);
  });

  it('takes an edge that was vouched for earlier than the one adopted last for a zombie', async () => {
    await write(other, 5, 9, settledSeconds());
    device.record(2);
    await write(device, 10, 12, settledSeconds() - 60);
    expect(await sizeAfterRestart()).toBe(9);
  });
});
