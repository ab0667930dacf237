import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Harness, TENANT, type Node } from '../harness.ts';
import type { TestDevice } from '../test-device.ts';

const HOUR_MS = 3_600_000;

let harness: Harness;
let node: Node;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await node.ingest.ready();
});
afterEach(() => harness.close());

async function sweep(of = node): Promise<void> {
  await of.ingest.sweep();
}

async function darkSince(device: TestDevice): Promise<unknown> {
  const { body } = await node.admin('GET', `/tenants/${TENANT}/devices`);
  const devices = body['devices'] as { device: string; darkSince: string | null }[];
  return devices.find((row) => row.device === device.device)?.darkSince;
}

async function darkEvents() {
  return (await node.tenantEvents()).filter(({ action }) => action === 'device.dark');
}

/** A tenant whose leases outlast every silence here. */
async function withLongLeases(): Promise<void> {
  const leases = { default: { blockAfterHours: 8000, wipeAfterHours: 8000 } };
  await node.admin('PUT', `/tenants/${TENANT}/policy`, { leases });
}

/** One note after each of these silences. */
async function contacts(device: TestDevice, ...hours: number[]): Promise<void> {
  for (const silence of hours) {
    harness.now += silence * HOUR_MS;
    expect((await node.send(device, 0, 0, {})).status).toBe(200);
  }
}

describe('a device', () => {
  it('is dark once its lease is over, which is told once a silence, and not any more when it is back', async () => {
    const device = await harness.enrolled(node);
    await contacts(device, 0);
    harness.now += 71 * HOUR_MS;
    await sweep();
    expect(await darkSince(device)).toBeNull();
    harness.now += 2.1 * HOUR_MS;
    await sweep();
    const since = new Date(harness.now).toISOString();
    harness.now += HOUR_MS;
    await sweep();
    expect(await darkSince(device)).toBe(since);
    expect(await darkEvents()).toMatchObject([
      { targets: [{ id: device.device }], outcome: 'unknown', data: { habitSeconds: 0 } },
    ]);
    await contacts(device, 0);
    expect(await darkSince(device)).toBeNull();
    harness.now += 80 * HOUR_MS;
    await sweep();
    expect(await darkEvents()).toHaveLength(2);
  });

  it('may be silent for as long as it is used to, and as long again', async () => {
    await withLongLeases();
    const device = await harness.enrolled(node);
    await contacts(device, 0, 100, 0.1);
    harness.now += 190 * HOUR_MS;
    await sweep();
    expect(await darkSince(device)).toBeNull();
    harness.now += 11 * HOUR_MS;
    await sweep();
    expect(await darkEvents()).toMatchObject([{ data: { because: 'habit' } }]);
  });

  it('keeps the habit of a long silence over many short ones, and loses it over months', async () => {
    await withLongLeases();
    const device = await harness.enrolled(node);
    await contacts(device, 0, 100);
    for (let i = 0; i < 60; i++) await contacts(device, 1 / 60);
    const habit = async () => {
      const row = await node.registry.db
        .selectFrom('sightings')
        .select('contact_gap_ms')
        .where('device', '=', device.device)
        .executeTakeFirstOrThrow();
      return row.contact_gap_ms / HOUR_MS;
    };
    expect(await habit()).toBeGreaterThan(99);
    for (let i = 0; i < 60; i++) await contacts(device, 24);
    expect(await habit()).toBe(24);
  });

  it('is given the least silence that its tenant sets', async () => {
    await node.admin('PUT', `/tenants/${TENANT}/policy`, {
      dark: { afterHours: 2 },
      leases: { default: { blockAfterHours: 100, wipeAfterHours: 100 } },
    });
    const device = await harness.enrolled(node);
    await contacts(device, 0);
    harness.now += 1.9 * HOUR_MS;
    await sweep();
    expect(await darkSince(device)).toBeNull();
    harness.now += 0.2 * HOUR_MS;
    await sweep();
    expect(await darkSince(device)).not.toBeNull();
  });

  it('that calls without being given a lease any more is not dark', async () => {
    const device = await harness.enrolled(node);
    await contacts(device, 0);
    await node.admin('PUT', `/tenants/${TENANT}/policy`, {
      enrolment: { methods: ['token'], rules: [{ action: 'allow_without_cache' }] },
    });
    for (let i = 0; i < 5; i++) {
      await contacts(device, 40);
      await sweep();
    }
    expect(await darkEvents()).toEqual([]);
  });

  it('whose successor has taken its place is not missed', async () => {
    const old = await harness.enrolled(node);
    await contacts(old, 0);
    const next = await harness.enrolled(node, { predecessor: old.device });
    await contacts(next, 70, 70, 1);
    await sweep();
    expect(await darkEvents()).toEqual([]);
  });

  it('that the service kept from calling has an hour after its start', async () => {
    const device = await harness.enrolled(node);
    await contacts(device, 0);
    harness.now += 100 * HOUR_MS;
    const restarted = await harness.node();
    harness.now += HOUR_MS - 1;
    await sweep(restarted);
    expect(await darkEvents()).toEqual([]);
    harness.now += 1;
    await sweep(restarted);
    expect(await darkEvents()).toHaveLength(1);
  });

  it('is told dark once by two control nodes, and not at all where it is revoked', async () => {
    const [silent, revoked] = [await harness.enrolled(node), await harness.enrolled(node)];
    await contacts(silent, 0);
    await contacts(revoked, 0);
    await node.admin('POST', `/tenants/${TENANT}/devices/${revoked.device}/revoke`, { reason: 'left' });
    const other = await harness.node();
    harness.now += 1000 * HOUR_MS;
    await Promise.all([sweep(), sweep(other)]);
    expect((await darkEvents()).map(({ targets }) => targets)).toEqual([
      [{ type: 'device', id: silent.device }],
    ]);
  });
});

describe('a successor', () => {
  it('of a device that still has to purge gets an order of its own', async () => {
    const old = await harness.enrolled(node);
    const order = { reason: 'lost', purge: ['v_1', 'v_2'] };
    await node.admin('POST', `/tenants/${TENANT}/devices/${old.device}/revoke`, order);
    const row = { predecessor: old.device, installation: old.device, status: 'revoked' } as const;
    const next = await harness.enrolled(node, { ...row, revoked_at: harness.now });
    expect((await node.send(next, 0, 0)).body.directives).toEqual([]);
    await sweep();
    await sweep();
    const { directives } = (await node.send(next, 0, 0)).body;
    expect(directives).toHaveLength(1);
    expect(directives![0]).toContain(`${next.origin}\n`);
    expect(directives![0]).toContain('\nv_1,v_2\nlost\n');
  });

  it('that slipped in behind the revocation of its predecessor is revoked', async () => {
    const old = await harness.enrolled(node);
    await node.admin('POST', `/tenants/${TENANT}/devices/${old.device}/revoke`, { reason: 'lost' });
    const next = await harness.enrolled(node, { predecessor: old.device, status: 'quarantined' });
    await sweep();
    const { body } = await node.admin('GET', `/tenants/${TENANT}/devices?status=revoked`);
    expect((body['devices'] as { device: string }[]).map(({ device }) => device).toSorted()).toEqual(
      [old.device, next.device].map(String).toSorted(),
    );
  });

  it('that an administrator let in before stays, when the key that was copied is revoked at last', async () => {
    const old = await harness.enrolled(node);
    const row = { predecessor: old.device, installation: old.device, status: 'quarantined' } as const;
    const next = await harness.enrolled(node, row);
    const undecided = await harness.enrolled(node, row);
    await node.admin('POST', `/tenants/${TENANT}/devices/${next.device}/approve`);
    harness.now += 24 * HOUR_MS;
    const order = { reason: 'forked key', purge: ['*'] };
    await node.admin('POST', `/tenants/${TENANT}/devices/${old.device}/revoke`, order);
    await sweep();
    expect(await statusOf(next)).toBe('enrolled');
    expect((await node.send(next, 0, 0)).body.directives).toEqual([]);
    expect(await statusOf(undecided)).toBe('revoked');
    expect((await node.send(undecided, 0, 0)).body.directives).toHaveLength(1);
  });

  it('is ordered what its predecessor is ordered later, once, and nothing that its own order covers', async () => {
    const old = await harness.enrolled(node);
    const order = (purge: readonly string[]) =>
      node.admin('POST', `/tenants/${TENANT}/devices/${old.device}/revoke`, { reason: 'lost', purge });
    await order(['v_1']);
    const row = { predecessor: old.device, installation: old.device, status: 'revoked' } as const;
    const next = await harness.enrolled(node, { ...row, revoked_at: harness.now });
    await sweep();
    const scopes = async () =>
      (await node.send(next, 0, 0)).body.directives!.map((note) => note.split('\n')[3]);
    expect(await scopes()).toEqual(['v_1']);
    harness.now += 1000;
    await order(['*']);
    await sweep();
    await sweep();
    expect(await scopes()).toEqual(['v_1', '*']);
    harness.now += 1000;
    await order(['v_2']);
    await sweep();
    expect(await scopes()).toHaveLength(2);
  });

  it('is ordered what its predecessor carried out meanwhile: its store is another one', async () => {
    const old = await harness.enrolled(node);
    const order = { reason: 'lost', purge: ['*'] };
    await node.admin('POST', `/tenants/${TENANT}/devices/${old.device}/revoke`, order);
    const row = { predecessor: old.device, installation: old.device, status: 'revoked' } as const;
    const next = await harness.enrolled(node, { ...row, revoked_at: harness.now });
    await node.registry.db
      .updateTable('directives')
      .set({ confirmed_at: harness.now + 1 })
      .execute();
    await sweep();
    expect((await node.send(next, 0, 0)).body.directives).toHaveLength(1);
  });
});

async function statusOf({ device }: TestDevice): Promise<string> {
  const { status } = await node.registry.db
    .selectFrom('devices')
    .select('status')
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  return status;
}
