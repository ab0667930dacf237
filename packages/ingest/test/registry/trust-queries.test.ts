import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { startPostgres } from '../../../../test/support/postgres.ts';
import { findDarkDevices } from '../../src/control/dark-devices.ts';
import { devicesOfPerson, directivesOfPerson } from '../../src/control/offboarding-report.ts';
import { overflowsOfPerson, targetsOfPerson, targetsQuery } from '../../src/control/offboarding-targets.ts';
import { successorsOfRevoked } from '../../src/control/successor-purges.ts';
import { DEFAULT_POLICY } from '../../src/core/policy.ts';
import { ExposureIndexer } from '../../src/exposure/indexer.ts';
import { storeConfirmations } from '../../src/registry/confirmations.ts';
import { findDevice } from '../../src/registry/devices.ts';
import { EXPOSURES_PER_DEVICE_MAX, storeExposures, type ExposureRow } from '../../src/registry/exposures.ts';
import type { LogKey } from '../../src/registry/heads.ts';
import { storeLease } from '../../src/registry/leases.ts';
import { openPostgresRegistry } from '../../src/registry/postgres-registry.ts';
import { openSqliteRegistry, type Registry } from '../../src/registry/registry.ts';
import { storeSightings } from '../../src/registry/sightings.ts';
import { Secret } from '../../src/secret.ts';
import { createTenantLog } from '../../src/tenant-log/outbox.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const person = { tenants: ['acme', 'child'], subject: 'ana' };

type Place = { readonly registry: Registry; readonly destroy: () => Promise<void> };

async function sqlite(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'trust-queries-'));
  const registry = await openSqliteRegistry(join(folder, 'registry.sqlite'));
  return {
    registry,
    destroy: async () => {
      await registry.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function postgres(): Promise<Place> {
  const server = await startPostgres();
  const registry = await openPostgresRegistry(new Secret(server.createDatabase()));
  return {
    registry,
    destroy: async () => {
      await registry.close();
      await server.stop();
    },
  };
}

// The same queries mean the same in both databases.
describe.each([
  ['SQLite', sqlite],
  ['PostgreSQL', postgres],
])('the queries about trust in %s', (_name, open) => {
  let place: Place;
  let registry: Registry;
  beforeAll(async () => {
    place = await open();
    ({ registry } = place);
    await registry.transaction(async (trx) => {
      const policy = JSON.stringify(DEFAULT_POLICY);
      await trx
        .insertInto('tenants')
        .values({ id: 'acme', name: 'Acme', parent: null, policy, created_at: NOW })
        .execute();
      await createTenantLog(trx, { tenant: 'acme', publicKey: new Uint8Array(32), at: NOW });
    });
    await device('d1', 'ana', NOW);
    await device('d2', 'ana', NOW + 1, 'd1');
    await device('shared', 'reception', NOW);
  }, 60_000);
  afterAll(() => place?.destroy());

  async function device(id: string, subject: string, enrolledAt: number, installation = id): Promise<void> {
    await registry.db
      .insertInto('devices')
      .values({
        tenant: 'acme',
        device: id,
        public_key: new Uint8Array(32),
        installation,
        installation_label: null,
        platform: null,
        subject,
        status: 'enrolled',
        lease_profile: null,
        predecessor: installation === id ? null : installation,
        enrolled_at: enrolledAt,
        revoked_at: null,
        revocation_reason: null,
      })
      .execute();
  }

  function exposure(row: Partial<ExposureRow>): ExposureRow {
    return {
      tenant: 'acme',
      device: 'd1',
      actor: 'u_7',
      email: null,
      targetType: 'item',
      targetId: 'i_1',
      targetName: null,
      kinds: 1,
      marks: 0,
      firstAt: NOW,
      lastAt: NOW,
      ...row,
    };
  }

  const store = (...rows: ExposureRow[]) => registry.checkpoint((trx) => storeExposures(trx, rows, NOW));
  const targets = (limit = 10, after: Parameters<typeof targetsOfPerson>[2]['after'] = null) =>
    targetsOfPerson(registry.db, person, { after, limit });

  it('merge exposures of one target over events, devices and persons', async () => {
    await store(exposure({ targetName: 'prod-db', lastAt: NOW + 5 }));
    await store(
      exposure({ kinds: 4, marks: 2, firstAt: NOW - 9 }),
      exposure({ device: 'd2', kinds: 2, marks: 4 }),
      exposure({ device: 'shared', actor: 'ana', email: 'ana', targetId: 'i_2' }),
      exposure({ device: 'shared', email: 'ana', targetId: 'i_3' }),
      exposure({ device: 'shared', targetId: 'i_4' }),
      exposure({ actor: 'x'.repeat(1000), targetId: `nul\u0000${'€'.repeat(1000)}` }),
    );
    const found = await targets();
    expect(found.map(({ id }) => id.slice(0, 4))).toEqual(['i_1', 'i_2', 'i_3', 'nul\ufffd']);
    expect(found[0]).toEqual({
      tenant: 'acme',
      type: 'item',
      id: 'i_1',
      name: 'prod-db',
      firstAt: NOW - 9,
      lastAt: NOW + 5,
      devices: 2,
      kinds: ['revealed', 'exported', 'held'],
      marks: ['straddles', 'after'],
    });
    const next = await targets(1, { tenant: 'acme', type: 'item', id: 'i_1' });
    expect(next.map(({ id }) => id)).toEqual(['i_2', 'i_3']);
    expect(await targets(0)).toEqual([]);
  });

  it('keep what is known of a device that names too much, and say so', async () => {
    const rows = Array.from({ length: EXPOSURES_PER_DEVICE_MAX + 1 }, (_, i) =>
      exposure({ device: 'd2', targetType: 'many', targetId: `m_${i}` }),
    );
    expect(await overflowsOfPerson(registry.db, person)).toEqual([]);
    await store(...rows);
    expect(await overflowsOfPerson(registry.db, person)).toEqual(['d2']);
    await store(exposure({ device: 'd2', kinds: 4 }), exposure({ device: 'd2', targetId: 'new' }));
    const ids = (await targets()).map(({ id }) => id);
    expect(ids).not.toContain('new');
  });

  it('never move the end of a lease back', async () => {
    const key = { tenant: 'acme', device: 'd1' };
    const stored = async () => (await findDevice(registry.db, key))?.lease;
    for (const [blocksAt, wipesAt, decision] of [
      [null, null, 'deny 0'],
      [50, 90, 'allow null default'],
      [null, null, 'deny 0'],
      [40, 99, 'allow 1 short'],
    ] as const) {
      await registry.transaction((trx) => storeLease(trx, key, { blocksAt, wipesAt, decision }));
    }
    expect(await stored()).toEqual({ blocksAt: 50, wipesAt: 99, decision: 'allow 1 short' });
    expect(await devicesOfPerson(registry.db, person)).toMatchObject([
      { device: 'd1', blocks_at: 50 },
      { device: 'd2', blocks_at: null },
    ]);
  });

  it('learn a habit, find a silence once, and forget it at the next note', async () => {
    const seen = (receivedAt: number) =>
      registry.checkpoint((trx) =>
        storeSightings(trx, [
          {
            tenant: 'acme',
            device: 'd2',
            clock: { boot: 'b', monotonicMs: 1.5, wallAt: receivedAt, receivedAt },
            pendingCount: 0,
            oldestPendingAt: null,
          },
        ]),
      );
    const habit = async () =>
      await registry.db
        .selectFrom('sightings')
        .select(['contact_gap_ms', 'dark_since'])
        .where('device', '=', 'd2')
        .executeTakeFirstOrThrow();
    await seen(NOW);
    await seen(NOW + 100 * HOUR_MS);
    await seen(NOW + 124 * HOUR_MS);
    expect((await habit()).contact_gap_ms / HOUR_MS).toBeCloseTo(100 * (1 - 24 / 720), 2);
    let now = NOW + (124 + 190) * HOUR_MS;
    const look = () => findDarkDevices({ registry, clock: () => now, tenantLog: { wake: () => undefined } });
    expect(await look()).toBe(0);
    now += 10 * HOUR_MS;
    expect(await look()).toBe(1);
    expect(await look()).toBe(0);
    expect((await habit()).dark_since).toBe(now);
    await seen(now);
    expect((await habit()).dark_since).toBeNull();
  });

  it('let a successor in the same store confirm what its line was ordered, and no other successor', async () => {
    const directive = {
      id: 'x',
      tenant: 'acme',
      device: 'd1',
      note: 'note',
      issued_at: NOW,
      confirmed_at: null,
    };
    await registry.db.insertInto('directives').values(directive).execute();
    const confirm = (by: string) =>
      registry.transaction((trx) =>
        storeConfirmations(
          trx,
          [{ tenant: 'acme', device: by, attests: { kind: 'purged', directive: 'x' } }],
          NOW + 7,
        ),
      );
    const confirmed = async () => (await directivesOfPerson(registry.db, person))[0]?.confirmed_at;
    await confirm('shared');
    expect(await confirmed()).toBeNull();
    await confirm('d2');
    expect(await confirmed()).toBeNull();
    await registry.db
      .updateTable('devices')
      .set({ succession: 'corrupt' })
      .where('device', '=', 'd2')
      .execute();
    await confirm('d2');
    expect(await confirmed()).toBe(NOW + 7);
    const said = await registry.db
      .selectFrom('outbox')
      .select('leaf')
      .orderBy('leaf_index', 'desc')
      .execute();
    const event = JSON.parse(Buffer.from(said[0]!.leaf).toString());
    expect([event.actor.id, event.targets[0].id]).toEqual(['d2', 'd1']);
  });

  it('find the successors of revoked devices, page by page', async () => {
    for (const id of ['r', 's1', 's2', 's3']) await device(id, 'zoe', NOW, id === 'r' ? id : 'r');
    const set = (id: string, row: object) =>
      registry.db.updateTable('devices').set(row).where('device', '=', id).execute();
    await set('r', { status: 'revoked', revoked_at: NOW + HOUR_MS });
    await set('s2', { status: 'quarantined' });
    await set('s3', { enrolled_at: NOW + HOUR_MS - 1000 });
    const found = async (after: LogKey | null) =>
      (await successorsOfRevoked(registry.db, after)).map(({ device: id }) => id);
    expect(await found(null)).toEqual(['s2', 's3']);
    expect(await found({ tenant: 'acme', device: 's2' })).toEqual(['s3']);
  });

  it('tell an indexer of an empty log that it is done, and one that came too late what it has missed', async () => {
    let oldest = 0;
    const log = {
      offsets: async () => ({ oldest, next: oldest }),
      readRange: async function* () {
        yield [];
      },
    };
    const indexer = new ExposureIndexer({
      log,
      registry,
      clock: () => NOW,
      logger: pino({ level: 'silent' }),
    });
    const catchUp = () => indexer.catchUp(new AbortController().signal);
    const settled = async (settled_offset: number) =>
      registry.db.updateTable('partitions').set({ settled_offset }).where('partition', '=', 0).execute();
    expect(await catchUp()).toBe(true);
    await registry.db
      .insertInto('partitions')
      .values({ partition: 0, settled_offset: 7, version: 0 })
      .execute();
    expect(await catchUp()).toBe(true);
    expect(await indexer.isWhole()).toBe(true);
    expect(await indexer.catchUp(AbortSignal.abort())).toBe(false);
    await settled(12);
    oldest = 9;
    expect(await catchUp()).toBe(true);
    expect(await indexer.isWhole()).toBe(false);
    await settled(15);
    oldest = 20;
    expect(await catchUp()).toBe(true);
    expect(await positions(registry)).toEqual([{ partition: 0, next_offset: 15, missed: 5 }]);
  });

  it('keep nobody waiting for the reading of another for longer than they want to', async () => {
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const log = {
      offsets: async () => {
        await gate;
        return { oldest: 0, next: 0 };
      },
      readRange: async function* () {
        yield [];
      },
    };
    await registry.db.updateTable('partitions').set({ settled_offset: 30 }).execute();
    const indexer = new ExposureIndexer({
      log,
      registry,
      clock: () => NOW,
      logger: pino({ level: 'silent' }),
    });
    const patient = indexer.catchUp(new AbortController().signal);
    const impatient = new AbortController();
    const other = indexer.catchUp(impatient.signal);
    impatient.abort();
    expect(await other).toBe(false);
    go();
    expect(await patient).toBe(true);
  });
});

async function positions(registry: Registry) {
  return registry.db.selectFrom('exposure_positions').selectAll().execute();
}

describe('the targets of a person', () => {
  it('are found by an index each in SQLite, not by reading every exposure', async () => {
    const { registry, destroy } = await sqlite();
    const query = targetsQuery(registry.db, person, { after: null, limit: 10 }).compile();
    const { rows } = await registry.db.executeQuery<{ detail: string }>({
      ...query,
      sql: `explain query plan ${query.sql}`,
    });
    await destroy();
    const plan = rows.map(({ detail }) => detail);
    expect(plan.filter((step) => /SCAN (exposures|devices)/.test(step))).toEqual([]);
    expect(plan.join()).toContain('exposures_by_actor');
    expect(plan.join()).toContain('exposures_by_email');
  });
});
