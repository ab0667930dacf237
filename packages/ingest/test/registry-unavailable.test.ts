import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CompiledQuery, type PluginTransformQueryArgs, type PluginTransformResultArgs } from 'kysely';
import { RegistryUnavailableError } from '../src/registry/unavailable.ts';
import { eventually, Harness, type Node } from './harness.ts';

let harness: Harness;
let node: Node;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await node.ingest.ready();
});
afterEach(() => harness.close());

/** From now on the registry has no page left to write to, as on a full disk; `0` makes room again. */
async function limitPages(pagesMax: number): Promise<void> {
  await node.registry.db.executeQuery(CompiledQuery.raw(`pragma max_page_count = ${pagesMax || 1e9}`));
}

const BIG = 'x'.repeat(100_000);

describe('a registry without room', () => {
  it('makes an append 503 with its code, and what was appended is settled once there is room again', async () => {
    const device = await harness.enrolled(node);
    for (let i = 0; i < 40; i++) device.record(1);
    await node.send(device, 0, 1);
    await limitPages(1);
    let old = 1;
    let answer = await node.send(device, old, old + 1);
    // The file's last pages still have some room.
    while (answer.status === 200 && old < 38) answer = await node.send(device, ++old, old + 1);
    expect(answer).toMatchObject({
      status: 503,
      retryAfter: '2',
      body: { code: 'ERR_REGISTRY_UNAVAILABLE' },
    });
    await limitPages(0);
    // The lane looks for the registry by itself, and refuses meanwhile.
    let settled = answer;
    await eventually(async () => {
      settled = await node.send(device, old, old + 1);
      return settled.status !== 503;
    });
    // It was in the log already; a device that repeats it is told so.
    expect([200, 409]).toContain(settled.status);
    const size = settled.body.size ?? old + 1;
    expect(size).toBe(old + 1);
    expect((await node.send(device, size)).status).toBe(200);
    expect((await node.delivered(device.origin)).map(({ value }) => value)).toEqual(
      device.leaves.map((leaf) => Buffer.from(leaf)).map((leaf) => Uint8Array.from(leaf)),
    );
  });

  it('rejects a query as unavailable, and a wrong query as what it is', async () => {
    await limitPages(1);
    const { db } = node.registry;
    const full = db.insertInto('meta').values({ key: 'big', value: BIG }).execute();
    await expect(full).rejects.toBeInstanceOf(RegistryUnavailableError);
    const wrong = db.executeQuery(CompiledQuery.raw('select nothing from nowhere'));
    await expect(wrong).rejects.not.toBeInstanceOf(RegistryUnavailableError);
    const twice = db.insertInto('meta').values({ key: 'schema_version', value: '2' }).execute();
    await expect(twice).rejects.not.toBeInstanceOf(RegistryUnavailableError);
  });
});

describe('a registry that cannot be read', () => {
  it('makes an append 503 with its code and a time to come again, and it is counted (INV-12)', async () => {
    const device = await harness.enrolled(node);
    device.record(1);
    let isReadable = true;
    const refusing = {
      transformQuery: ({ node: query }: PluginTransformQueryArgs) => {
        if (isReadable) return query;
        throw new RegistryUnavailableError('injected');
      },
      transformResult: async ({ result }: PluginTransformResultArgs) => result,
    };
    const unreadable = await harness.node({
      registry: (registry) => ({ ...registry, db: registry.db.withPlugin(refusing) }),
    });
    await unreadable.ingest.ready();
    isReadable = false;
    const answer = await unreadable.send(device, 0);
    expect(answer).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: { code: 'ERR_REGISTRY_UNAVAILABLE' },
    });
    const figures = await unreadable.ingest.context.metrics.exposition();
    expect(figures).toContain('tachograph_append_offered_leaves_total{outcome="failed"} 1');
    expect((await node.send(device, 0)).status).toBe(200);
  });
});
