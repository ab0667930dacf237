import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CompiledQuery } from 'kysely';
import { findIssued, issuedId, pruneIssued, storeIssued } from '../../src/registry/cosigned.ts';
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

function put(registry: Registry, value: string): Promise<unknown> {
  return registry.transaction(async (trx) => {
    const row = await trx.selectFrom('meta').select('value').where('key', '=', 'counter').executeTakeFirst();
    const next = String(Number(row?.value ?? 0) + Number(value));
    return trx
      .insertInto('meta')
      .values({ key: 'counter', value: next })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: next }))
      .execute();
  });
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

describe('the registry in SQLite', () => {
  it('serialises transactions of two connections in one process, without a deadlock and without a lost update', async () => {
    const [a, b] = [await open(), await open()];
    await Promise.all(Array.from({ length: 100 }, (_, i) => put(i % 2 === 0 ? a : b, '1')));
    const { value } = await a.db
      .selectFrom('meta')
      .select('value')
      .where('key', '=', 'counter')
      .executeTakeFirstOrThrow();
    expect(value).toBe('100');
  });

  it('undoes all of a transaction that rejects', async () => {
    const registry = await open();
    await put(registry, '1');
    const failed = registry.transaction(async (trx) => {
      await trx.deleteFrom('meta').execute();
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await registry.db.selectFrom('meta').selectAll().execute()).toHaveLength(2);
  });

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
    expect(next).toEqual({ offset: 5, version: 1 });
    expect(await settle(watched, { ...NOTHING, from, to: 6 }, async () => undefined)).toBeNull();
    expect(await settle(watched, { ...NOTHING, from: next!, to: 6, forks: [await fork()] })).not.toBeNull();
    expect(kinds).toEqual(['checkpoint', 'fsynced', 'fsynced']);
    expect(await settledPosition(registry.db, 0)).toEqual({ offset: 6, version: 2 });
  });

  it('opens again as it was left, and refuses a schema of a newer release', async () => {
    const first = await open();
    await put(first, '5');
    const second = await open();
    expect(await second.db.selectFrom('meta').selectAll().execute()).toHaveLength(2);
    await second.db.updateTable('meta').set({ value: '99' }).where('key', '=', 'schema_version').execute();
    await expect(open()).rejects.toThrow('the registry has schema 99; this release knows');
  });
});

describe('issued cosignatures', () => {
  it('are found exactly as issued, and all but the newest and the anchor are forgotten', async () => {
    const registry = await open();
    const key = { tenant: 'acme', device: 'd' };
    const issued = Array.from({ length: 400 }, (_, i) => ({ ...key, size: i, timeSeconds: 1_000 + i }));
    await storeIssued(registry.db, issued);
    expect((await findIssued(registry.db, issued)).size).toBe(400);
    expect((await findIssued(registry.db, [{ ...issued[3]!, timeSeconds: 1 }])).size).toBe(0);
    expect((await findIssued(registry.db, [{ ...issued[3]!, device: 'other' }])).size).toBe(0);
    await pruneIssued(registry.db, key, 7);
    const left = await findIssued(registry.db, issued);
    expect(left.size).toBe(257);
    expect(left.has(issuedId(issued[7]!))).toBe(true);
    expect(left.has(issuedId(issued[6]!))).toBe(false);
    expect(left.has(issuedId(issued[399]!))).toBe(true);
  });
});
