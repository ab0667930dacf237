import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bytes } from '@tachograph/wire';
import { parseNetwork } from '../src/core/network.ts';
import { Harness, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

const APPENDS_PER_SECOND = 150;

let harness: Harness;
let node: Node;
let device: TestDevice;
beforeEach(async () => {
  // The harness's clock stands still, so a bucket that is empty stays so.
  const trustedProxies = [parseNetwork('127.0.0.1')!];
  harness = await Harness.create({ deviceAppendsPerSecond: APPENDS_PER_SECOND, trustedProxies });
  node = await harness.node();
  await node.ingest.ready();
  device = await harness.enrolled(node);
  device.record(2);
});
afterEach(() => harness.close());

async function statusFrom(address: string, body: Bytes): Promise<number> {
  const headers = { 'content-type': 'text/plain', 'x-forwarded-for': address };
  return (await fetch(`${node.url}${device.path}`, { method: 'POST', headers, body })).status;
}

async function statusesFrom(address: string, body: Bytes, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push(await statusFrom(address, body));
  return statuses;
}

describe('a stranger who knows the address of a log', () => {
  it('cannot use up the rate of its device, only their own (INV-14)', async () => {
    const body = await device.append(0);
    const note = Buffer.from(body).toString('latin1');
    // The last characters before the padding are the signature's: its form stays, its value does not.
    const forged = new Uint8Array(Buffer.from(note.replace(/(\xe2[^\n]+)...=\n/, '$1AAA=\n'), 'latin1'));
    const statuses = await statusesFrom('192.0.2.1', forged, APPENDS_PER_SECOND + 1);
    expect(statuses).toEqual([...Array.from({ length: APPENDS_PER_SECOND }, () => 403), 429]);
    expect(await statusFrom('192.0.2.2', body)).toBe(200);
  });
});

describe('whoever has the key of a device', () => {
  it('has one rate, however many addresses they send from (INV-14)', async () => {
    const body = await device.append(0);
    expect(await statusFrom('192.0.2.1', body)).toBe(200);
    await statusesFrom('192.0.2.1', body, APPENDS_PER_SECOND - 2);
    expect(await statusFrom('192.0.2.2', body)).toBe(409);
    expect(await statusFrom('192.0.2.3', body)).toBe(429);
  });

  it('cannot fill the registry and the log of the tenant with forks (INV-14, INV-15)', async () => {
    expect((await node.send(device, 0)).status).toBe(200);
    for (let i = 0; i < 33; i++) {
      const clone = device.clone();
      clone.leaves.splice(1, 1);
      clone.record(1);
      expect((await node.send(clone, 1)).status).toBe(409);
    }
    const { count } = await node.registry.db
      .selectFrom('forks')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    expect(count).toBe(32);
    const events = await node.tenantEvents();
    expect(events.filter(({ action }) => action === 'log.forked')).toHaveLength(32);
  });
});
