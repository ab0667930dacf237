import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CompiledQuery } from 'kysely';
import { describeRegistryContract } from '../../../../test/contracts/registry.contract.ts';
import type { ForkProof } from '../../src/registry/forks.ts';
import { openSqliteRegistry, type Db, type Registry } from '../../src/registry/registry.ts';
import { addPartitions, settle, settledPosition } from '../../src/registry/settlement.ts';
import { TestDevice } from '../test-device.ts';

let folder: string;
let registries: Registry[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-'));
  registries = [];
});
afterEach(async () => {
  await Promise.all(registries.map((registry) => registry.close()));
  rmSync(folder, { recursive: true });
});

async function open(): Promise<Registry> {
  const registry = await openSqliteRegistry(join(folder, 'registry.sqlite'));
  registries.push(registry);
  return registry;
}

const [NORMAL, FULL] = [1, 2];

let asked = 0;
/** Another text at every call: a prepared statement answers what held when it was compiled. */
async function synchronous(db: Db): Promise<number | undefined> {
  const query = CompiledQuery.raw(`pragma synchronous /* ${asked++} */`);
  const { rows } = await db.executeQuery<{ synchronous: number }>(query);
  return rows[0]?.synchronous;
}

const NOTHING = {
  partition: 0,
  mark: null,
  moves: [],
  windows: [],
  issued: [],
  rejections: [],
  sightings: [],
  forks: [],
  confirmations: [],
  at: 0,
};

async function fork(): Promise<ForkProof> {
  const device = await TestDevice.create('audit.example.com', 'acme');
  device.record(1);
  return {
    tenant: 'acme',
    device: device.device,
    index: 0,
    accepted: await device.checkpoint(),
    submitted: await device.checkpointNote(),
    differing: [],
    detectedAt: 0,
  };
}

describeRegistryContract('the registry in SQLite', async () => {
  const places = mkdtempSync(join(tmpdir(), 'registries-'));
  let count = 0;
  return {
    place: async () => {
      const file = join(places, `${count++}.sqlite`);
      return () => openSqliteRegistry(file);
    },
    destroy: async () => rmSync(places, { recursive: true }),
  };
});

describe('the registry in SQLite', () => {
  it('fsyncs every transaction that holds facts of its own, also one that waits behind a checkpoint', async () => {
    const registry = await open();
    const levels = await Promise.all([
      registry.transaction(synchronous),
      registry.checkpoint(synchronous),
      registry.transaction(synchronous),
      registry.checkpoint(synchronous),
      synchronous(registry.db),
    ]);
    expect(levels).toEqual([FULL, NORMAL, FULL, NORMAL, FULL]);
  });

  it('fsyncs again after a checkpoint that failed, which leaves nothing behind', async () => {
    const registry = await open();
    const failed = registry.checkpoint(async (trx) => {
      await trx.deleteFrom('meta').execute();
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await registry.db.selectFrom('meta').selectAll().execute()).toHaveLength(1);
    expect(await registry.transaction(synchronous)).toBe(FULL);
  });

  it('settles as a checkpoint what the log says too, and fsyncs forks and what is done along with it', async () => {
    const registry = await open();
    await addPartitions(registry.db, 1);
    const kinds: string[] = [];
    const watched: Registry = {
      ...registry,
      transaction: (work) => (kinds.push('fsynced'), registry.transaction(work)),
      checkpoint: (work) => (kinds.push('checkpoint'), registry.checkpoint(work)),
    };
    const from = await settledPosition(registry.db, 0);
    const next = await settle(watched, { ...NOTHING, from, to: 5 });
    expect(next?.offset).toBe(5);
    expect(await settle(watched, { ...NOTHING, from, to: 6 }, async () => undefined)).toBeNull();
    expect(await settle(watched, { ...NOTHING, from: next!, to: 6, forks: [await fork()] })).not.toBeNull();
    expect(kinds).toEqual(['checkpoint', 'fsynced', 'fsynced']);
    expect((await settledPosition(registry.db, 0)).offset).toBe(6);
  });
});
