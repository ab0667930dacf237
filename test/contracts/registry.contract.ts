import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bytes } from '@tachograph/wire';
import {
  findIssued,
  issuedId,
  pruneIssued,
  storeIssued,
} from '../../packages/ingest/src/registry/cosigned.ts';
import { recordFork, type ForkProof } from '../../packages/ingest/src/registry/forks.ts';
import { EMPTY_HEAD, loadHeads, loadWindow } from '../../packages/ingest/src/registry/heads.ts';
import type { Db, Registry } from '../../packages/ingest/src/registry/registry.ts';
import {
  addPartitions,
  settle,
  settledPosition,
  type Settlement,
} from '../../packages/ingest/src/registry/settlement.ts';
import { storeSightings } from '../../packages/ingest/src/registry/sightings.ts';
import { createTenantLog, enqueueEvent } from '../../packages/ingest/src/tenant-log/outbox.ts';
import { TestDevice } from '../../packages/ingest/test/test-device.ts';

/** Something that keeps registries. */
export type RegistryKeeper = {
  /** A new place, without a registry yet; each opening is another node's. */
  readonly place: () => Promise<() => Promise<Registry>>;
  readonly destroy: () => Promise<void>;
};

const KEY = { tenant: 'acme', device: 'd' };

const NOTHING: Omit<Settlement, 'from' | 'to'> = {
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

function hash(fill: number): Bytes {
  return new Uint8Array(32).fill(fill);
}

/** Reads a counter and writes it one higher: what two of these lose to each other shows. */
function count(registry: Registry): Promise<unknown> {
  return registry.transaction(async (trx) => {
    const row = await trx.selectFrom('meta').select('value').where('key', '=', 'counter').executeTakeFirst();
    const value = String(Number(row?.value ?? 0) + 1);
    return trx
      .insertInto('meta')
      .values({ key: 'counter', value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  });
}

async function counted(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'counter').executeTakeFirst();
  return row?.value;
}

async function fork(): Promise<ForkProof> {
  const device = await TestDevice.create('audit.example.com', 'acme');
  device.record(1);
  return {
    ...KEY,
    index: 0,
    accepted: await device.checkpoint(),
    submitted: await device.checkpointNote(),
    differing: [],
    detectedAt: 0,
  };
}

/** A settlement that brings the log of {@link KEY} to `size`, with hashes of its own. */
function moveTo(size: number, fill: number): Pick<Settlement, 'moves' | 'windows'> {
  const range = { size, hashes: [hash(fill)] };
  return {
    moves: [{ ...KEY, head: { ...EMPTY_HEAD, range }, anchor: null, endOffset: size }],
    windows: [{ ...KEY, from: { size: size - 1, hashes: [] }, hashes: [hash(fill)] }],
  };
}

/** What `Registry` promises, for every database. */
export function describeRegistryContract(name: string, keep: () => Promise<RegistryKeeper>): void {
  describe(`${name} keeps the contract of Registry`, () => {
    let keeper: RegistryKeeper;
    let openNode: () => Promise<Registry>;
    let opened: Registry[];
    beforeAll(async () => {
      keeper = await keep();
    }, 60_000);
    afterAll(() => keeper?.destroy());
    beforeEach(async () => {
      const place = await keeper.place();
      opened = [];
      openNode = async () => {
        const registry = await place();
        opened.push(registry);
        return registry;
      };
    });
    afterEach(() => Promise.all(opened.map((registry) => registry.close())));

    it('is made by whoever opens it first, also by four nodes at once', async () => {
      const nodes = await Promise.all([openNode(), openNode(), openNode(), openNode()]);
      await Promise.all(nodes.map(count));
      expect(await Promise.all(nodes.map(({ db }) => counted(db)))).toEqual(['4', '4', '4', '4']);
    });

    it('opens again as it was left, and refuses a schema of a newer release', async () => {
      const first = await openNode();
      await count(first);
      const { db } = await openNode();
      expect(await counted(db)).toBe('1');
      await db.updateTable('meta').set({ value: '99' }).where('key', '=', 'schema_version').execute();
      await expect(openNode()).rejects.toThrow('the registry has schema 99; this release knows');
    });

    it('lets transactions of two nodes be as if one came after the other: no update is lost', async () => {
      const [a, b] = [await openNode(), await openNode()];
      await Promise.all(Array.from({ length: 60 }, (_, i) => count(i % 2 === 0 ? a : b)));
      expect(await counted(a.db)).toBe('60');
    });

    it('undoes all of a transaction, or a checkpoint, that rejects', async () => {
      const registry = await openNode();
      await count(registry);
      for (const kind of ['transaction', 'checkpoint'] as const) {
        const failed = registry[kind](async (trx) => {
          await trx.deleteFrom('meta').execute();
          throw new Error('no');
        });
        await expect(failed).rejects.toThrow('no');
      }
      expect(await counted(registry.db)).toBe('1');
    });

    it('lets exactly one of two nodes settle a partition from one position, and keeps nothing of the other', async () => {
      const [a, b] = [await openNode(), await openNode()];
      await addPartitions(a.db, 2);
      for (let size = 1; size <= 30; size++) {
        const from = await settledPosition(a.db, 0);
        // Every third time one of them has facts of its own, which settle otherwise than checkpoints do.
        const also = size % 3 === 0 ? async () => undefined : null;
        const tries = await Promise.all([
          settle(a, { ...NOTHING, ...moveTo(size, 1), from, to: 10 * size + 1 }),
          settle(b, { ...NOTHING, ...moveTo(size, 2), from, to: 10 * size + 2 }, also),
        ]);
        expect(tries.filter((position) => position !== null)).toHaveLength(1);
        const winner = tries[0] === null ? 2 : 1;
        const now = await settledPosition(b.db, 0);
        expect(now).toEqual(tries[winner - 1]);
        expect(now.offset).toBe(10 * size + winner);
        const head = (await loadHeads(b.db, [KEY])).get('acme/d');
        expect(head?.range).toEqual({ size, hashes: [hash(winner)] });
        expect((await loadWindow(b.db, KEY, head!.range)).hashes.at(-1)).toEqual(hash(winner));
      }
    });

    it('settles two partitions side by side', async () => {
      const [a, b] = [await openNode(), await openNode()];
      await addPartitions(a.db, 2);
      const positions = await Promise.all([0, 1].map((partition) => settledPosition(a.db, partition)));
      const settled = await Promise.all([
        settle(a, { ...NOTHING, partition: 0, from: positions[0]!, to: 5 }),
        settle(b, { ...NOTHING, partition: 1, from: positions[1]!, to: 7 }),
      ]);
      expect(settled.map((position) => position?.offset)).toEqual([5, 7]);
    });

    it('names each state of a partition differently, so that an old one is never taken for the present', async () => {
      const registry = await openNode();
      await addPartitions(registry.db, 1);
      const before = await settledPosition(registry.db, 0);
      const versions = new Set([before.version]);
      let from = before;
      for (let i = 0; i < 20; i++) {
        from = (await settle(registry, { ...NOTHING, from, to: 0 }))!;
        versions.add(from.version);
      }
      // As after a restored backup: the same steps from the same state.
      await registry.db.updateTable('partitions').set({ version: before.version }).execute();
      for (let i = 0; i < 20; i++) {
        from = (await settle(registry, { ...NOTHING, from: i === 0 ? before : from, to: 0 }))!;
        versions.add(from.version);
      }
      expect(versions.size).toBe(41);
    });

    it('gives back whole numbers up to 2^53 − 1, fractions and bytes as they were, and counts as numbers', async () => {
      const { db } = await openNode();
      await addPartitions(db, 3);
      await db
        .updateTable('partitions')
        .set({ settled_offset: Number.MAX_SAFE_INTEGER })
        .where('partition', '=', 1)
        .execute();
      expect((await settledPosition(db, 1)).offset).toBe(Number.MAX_SAFE_INTEGER);
      const { rows } = await db
        .selectFrom('partitions')
        .select(({ fn }) => [fn.countAll<number>().as('rows'), fn.max('partition').as('last')])
        .executeTakeFirstOrThrow();
      expect(rows).toBe(3);
      const clock = { boot: 'b', monotonicMs: 1234.567, wallAt: -1, receivedAt: 5 };
      await storeSightings(db, [{ ...KEY, clock, pendingCount: 0, oldestPendingAt: null }]);
      const row = await db.selectFrom('sightings').selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({ monotonic_ms: 1234.567, wall_at: -1, oldest_pending_at: null });
      const leaf = Uint8Array.from({ length: 256 }, (_, i) => i);
      await db.insertInto('outbox').values({ tenant: 'acme', leaf_index: 0, leaf }).execute();
      const { leaf: back } = await db.selectFrom('outbox').select('leaf').executeTakeFirstOrThrow();
      expect(back).toEqual(leaf);
      expect(back.byteOffset).toBe(0);
      expect(back.buffer.byteLength).toBe(256);
    });

    it('keeps every text that a device may send, with U+FFFD where no database holds the character', async () => {
      const { db } = await openNode();
      const value = `a\u0000b \ud83d\ude00 \ud800 'quoted' "\\ ${'ü'.repeat(2_000)}`;
      await db.insertInto('meta').values({ key: 'text', value }).execute();
      const row = await db.selectFrom('meta').select('value').where('key', '=', 'text').executeTakeFirst();
      expect(row?.value).toBe(value.replace('\u0000', '\ufffd').toWellFormed());
    });

    it('gives each event of a tenant its own index, without holes, whichever node makes it', async () => {
      const [a, b] = [await openNode(), await openNode()];
      await a.transaction((trx) => createTenantLog(trx, { tenant: 'acme', publicKey: hash(1), at: 0 }));
      const event = {
        tenant: 'acme',
        action: 'device.enrolled',
        actor: { id: 'x', type: 'service' },
        at: 0,
      } as const;
      const indexes = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          (i % 2 === 0 ? a : b).transaction((trx) => enqueueEvent(trx, event)),
        ),
      );
      expect(indexes.toSorted((x, y) => x - y)).toEqual(indexes.map((_, i) => i));
    });

    it('keeps a fork that two nodes find at the same time once, with one event', async () => {
      const [a, b] = [await openNode(), await openNode()];
      await a.transaction((trx) => createTenantLog(trx, { tenant: 'acme', publicKey: hash(1), at: 0 }));
      const proof = await fork();
      const found = await Promise.all(
        [a, b, a, b].map((node) => node.transaction((trx) => recordFork(trx, proof))),
      );
      expect(found.filter((isNew) => isNew)).toHaveLength(1);
      expect(await b.db.selectFrom('outbox').select('leaf_index').execute()).toEqual([{ leaf_index: 0 }]);
    });

    it('keeps the newest sighting of a device, in whatever order they are settled', async () => {
      const { db } = await openNode();
      const sighting = (receivedAt: number) => ({
        ...KEY,
        clock: { boot: 'b', monotonicMs: 1, wallAt: 1, receivedAt },
        pendingCount: receivedAt,
        oldestPendingAt: null,
      });
      for (const at of [5, 9, 7]) await storeSightings(db, [sighting(at)]);
      const rows = await db.selectFrom('sightings').select(['received_at', 'pending_count']).execute();
      expect(rows).toEqual([{ received_at: 9, pending_count: 9 }]);
    });

    it('finds cosignatures exactly as issued, and forgets all but the newest and the anchor', async () => {
      const { db } = await openNode();
      const issued = Array.from({ length: 400 }, (_, i) => ({ ...KEY, size: i, timeSeconds: 1_000 + i }));
      await storeIssued(db, issued);
      expect((await findIssued(db, issued)).size).toBe(400);
      expect((await findIssued(db, [{ ...issued[3]!, timeSeconds: 1 }])).size).toBe(0);
      expect((await findIssued(db, [{ ...issued[3]!, device: 'other' }])).size).toBe(0);
      await pruneIssued(db, KEY, 7);
      const left = await findIssued(db, issued);
      expect(left.size).toBe(257);
      expect(left.has(issuedId(issued[7]!))).toBe(true);
      expect(left.has(issuedId(issued[6]!))).toBe(false);
      expect(left.has(issuedId(issued[399]!))).toBe(true);
    });
  });
}
