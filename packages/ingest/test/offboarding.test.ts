import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PURGE_NOTE, openStatement, type SuccessionReason } from '@tachograph/wire';
import { Harness, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

let harness: Harness;
let node: Node;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
});
afterEach(() => harness.close());

type Report = {
  readonly done: boolean;
  readonly devices: readonly {
    readonly device: string;
    readonly end: string;
    readonly purgedAt: string | null;
    readonly leaseBlocksAt: string | null;
  }[];
  readonly targets: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly kinds: readonly string[];
    readonly late: boolean;
    readonly revocation: readonly string[];
    readonly devices: number;
    readonly firstAt: string;
  }[];
  readonly targetsComplete: boolean;
  readonly cursor: string | null;
};

const PERSON = '/tenants/acme/subjects/ana';

async function report(query = '', of = node): Promise<Report> {
  const reply = await of.admin('GET', `${PERSON}/offboarding${query}`);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body as Report;
}

function revoke(purge: readonly string[] = ['*']) {
  return node.admin('POST', `${PERSON}/revoke`, { reason: 'left', purge });
}

/** What a device says when it has carried out a purge order. */
async function confirmation(note: string) {
  const [directive] = harness.directives;
  const opened = await openStatement(PURGE_NOTE, note, [directive!.key]);
  if (!opened.ok) throw new Error(opened.fault.detail);
  return {
    action: 'cache.purged',
    data: { directive: opened.value.id, scopes: ['*'], stores: 1, counts: {} },
  };
}

function target(id: string, name = id) {
  return { targets: [{ type: 'item', id, name }] };
}

describe('an offboarding', () => {
  it('ends in purged, once the device says so in its log', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    device.record(1);
    await node.send(device, 0, 1, {});
    await revoke();
    expect(await report()).toMatchObject({ done: false, devices: [{ end: 'pending', purgedAt: null }] });
    const { directives } = (await node.send(device, 1, 1, {})).body;
    device.record(1, await confirmation(directives![0]!));
    await node.send(device, 1);
    const purgedAt = new Date(harness.now).toISOString();
    expect(await report()).toMatchObject({ done: true, devices: [{ end: 'purged', purgedAt }] });
  });

  it('ends in a lease that is over, where nothing is heard any more; not before that', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    const { lease } = (await node.send(device, 0, 0, {})).body;
    expect(lease).toContain('tachograph lease/v1');
    await revoke();
    harness.now += 71 * 3_600_000;
    expect((await report()).devices[0]!.end).toBe('pending');
    harness.now += 2.1 * 3_600_000;
    expect(await report()).toMatchObject({ done: true, devices: [{ end: 'lease_expired_unconfirmed' }] });
  });

  it('counts the longest lease that a device was granted, also where the policy gives less now', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    await node.send(device, 0, 0, {});
    const leases = { default: { blockAfterHours: 1, wipeAfterHours: 2 } };
    await node.admin('PUT', '/tenants/acme/policy', { leases });
    harness.now += 60_000;
    await node.send(device, 0, 0, {});
    await revoke();
    harness.now += 5 * 3_600_000;
    expect((await report()).devices[0]!.end).toBe('pending');
  });

  it('of a device that never had a lease is over at once', async () => {
    await harness.enrolled(node, { subject: 'ana', status: 'quarantined' });
    expect((await report()).done).toBe(false);
    await revoke();
    expect(await report()).toMatchObject({
      done: true,
      devices: [{ end: 'lease_expired_unconfirmed', leaseBlocksAt: null }],
    });
  });

  it('of a device that goes on in its damaged store ends by what its successor says of that store', async () => {
    const old = await harness.enrolled(node, { subject: 'ana' });
    await node.send(old, 0, 0, {});
    await successorPurges(old, 'corrupt');
    expect((await report()).devices.map(({ end }) => end)).toEqual(['purged', 'purged']);
  });

  it.each(['fork', 'rollback'] as const)(
    'of a device whose store was copied is not ended by the copy',
    async (succession) => {
      const old = await harness.enrolled(node, { subject: 'ana' });
      await node.send(old, 0, 0, {});
      await successorPurges(old, succession);
      const { done, devices } = await report();
      expect([done, ...devices.map(({ end }) => end)]).toEqual([false, 'pending', 'purged']);
      const [open] = (await node.send(old, 0, 0, {})).body.directives!;
      old.record(1, await confirmation(open!));
      await node.send(old, 0);
      expect((await report()).done).toBe(true);
    },
  );

  it('stays ended where less is ordered after everything was destroyed, also with a log that is closed', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    await node.send(device, 0, 0, {});
    await revoke(['v_0']);
    await revoke();
    const { directives } = (await node.send(device, 0, 0, {})).body;
    expect(directives).toHaveLength(2);
    device.record(1, await confirmation(directives!.find((note) => note.includes('\n*\n'))!));
    await node.send(device, 0);
    expect((await report()).devices[0]!.end).toBe('purged');
    expect((await revoke(['v_1'])).body).toMatchObject({ purgesOrdered: 0 });
    expect((await report()).devices[0]!.end).toBe('purged');
    expect((await node.send(device, 1, 1, {})).body.directives).toEqual([]);
  });

  it('ends with the log that a revoked device closes, whatever is ordered beside and after it', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    const other = await harness.enrolled(node);
    await node.send(device, 0, 0, {});
    await revoke();
    const closed = { action: 'log.closed', data: { reason: 'revoked', directive: 'of a predecessor' } };
    device.record(1, closed);
    other.record(1, closed);
    await node.send(device, 0);
    await node.send(other, 0);
    const purgedAt = new Date(harness.now).toISOString();
    harness.now += 1000;
    expect((await revoke(['v_1'])).body).toMatchObject({ purgesOrdered: 0 });
    expect(await report()).toMatchObject({ done: true, devices: [{ end: 'purged', purgedAt }] });
    const { log_closed_at: ofOther } = await node.registry.db
      .selectFrom('devices')
      .select('log_closed_at')
      .where('device', '=', other.device)
      .executeTakeFirstOrThrow();
    // No revoked device: whatever it says, it goes on.
    expect(ofOther).toBeNull();
  });
});

/** A successor of `old` that purges all of its cache, when the person of both is revoked. */
async function successorPurges(old: TestDevice, succession: SuccessionReason): Promise<void> {
  const row = { subject: 'ana', installation: old.device, predecessor: old.device, succession };
  const next = await harness.enrolled(node, { ...row, status: 'quarantined', enrolled_at: harness.now + 1 });
  await revoke();
  const { directives } = (await node.send(next, 0, 0, {})).body;
  next.record(1, await confirmation(directives![0]!));
  await node.send(next, 0);
}

describe('an offboarding of very many devices', () => {
  it('shows a thousand of them, the pending first, and counts all', async () => {
    const { db } = node.registry;
    const device = await harness.enrolled(node, {
      subject: 'ana',
      status: 'revoked',
      revoked_at: harness.now,
    });
    const row = await db
      .selectFrom('devices')
      .selectAll()
      .where('device', '=', device.device)
      .executeTakeFirstOrThrow();
    const others = Array.from({ length: 1000 }, (_, i) => ({ ...row, device: `zz${i}` }));
    for (let i = 0; i < others.length; i += 100) {
      await db
        .insertInto('devices')
        .values(others.slice(i, i + 100))
        .execute();
    }
    await db.updateTable('devices').set({ status: 'enrolled' }).where('device', '=', 'zz999').execute();
    const { devices, ...rest } = await report();
    expect(rest).toMatchObject({ done: false, devicesTotal: 1001 });
    expect([devices.length, devices[0]!.device]).toEqual([1000, 'zz999']);
  });
});

describe('the directive of a device', () => {
  it('is confirmed by the device that its damaged store went on in, and by none that came before', async () => {
    const old = await harness.enrolled(node, { subject: 'ana' });
    const succession = 'corrupt' as const;
    const row = { subject: 'ana', installation: old.device, predecessor: old.device, succession };
    const next = await harness.enrolled(node, { ...row, enrolled_at: harness.now + 1 });
    await revoke();
    const [ofOld] = (await node.send(old, 0, 0)).body.directives!;
    const [ofNext] = (await node.send(next, 0, 0)).body.directives!;
    old.record(1, await confirmation(ofNext!));
    await node.send(old, 0);
    expect((await node.send(next, 0, 0)).body.directives).toEqual([ofNext]);
    next.record(1, await confirmation(ofOld!));
    await node.send(next, 0);
    expect((await node.send(old, 1, 1)).body.directives).toEqual([]);
  });
});

describe('the targets of an offboarding', () => {
  it('are those that the person revealed, exported or held, late events included, and no others', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    const stranger = await harness.enrolled(node);
    device.record(1, { action: 'item.reveal', ...target('i_1', 'prod-db') });
    device.record(1, { action: 'item.export', ...target('i_1', 'prod-db') });
    device.record(1, { action: 'item.sso', ...target('i_sso') });
    device.record(1, { action: 'item.reveal', outcome: 'failure', ...target('i_failed') });
    device.record(1, { action: 'app.opened', ...target('i_other') });
    const held = ['i_2', 'i_3'].map((id) => ({ type: 'item', id }));
    device.record(1, { action: 'cache.inventory', targets: held, data: { held: 2 } });
    stranger.record(1, target('i_strange'));
    await node.send(device, 0, 6, {});
    await node.send(stranger, 0);
    await revoke();
    device.record(1, { action: 'item.copy', ...target('i_4') });
    await node.send(device, 6);
    const { targets, targetsComplete } = await report();
    expect(targetsComplete).toBe(true);
    expect(targets.map(({ id, kinds, late }) => ({ id, kinds, late }))).toEqual([
      { id: 'i_1', kinds: ['revealed', 'exported'], late: false },
      { id: 'i_2', kinds: ['held'], late: false },
      { id: 'i_3', kinds: ['held'], late: false },
      { id: 'i_4', kinds: ['revealed'], late: true },
    ]);
    expect(targets[0]!.name).toBe('prod-db');
  });

  it('include what the person did on devices of others, by id or by address', async () => {
    const shared = await harness.enrolled(node, { subject: 'reception' });
    shared.record(1, { actor: { id: 'ana' }, ...target('i_1') });
    shared.record(1, { actor: { id: 'u_9', email: 'ana' }, ...target('i_2') });
    shared.record(1, { actor: { id: 'ben' }, ...target('i_3') });
    await node.send(shared, 0);
    expect((await report()).targets.map(({ id }) => id)).toEqual(['i_1', 'i_2']);
  });

  it('come page by page, each once', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    for (let i = 0; i < 5; i++) device.record(2, target(`i_${i}`));
    await node.send(device, 0);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Report = await report(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.targets.map(({ id }) => id));
      ({ cursor } = page);
    }
    expect(seen).toEqual(['i_0', 'i_1', 'i_2', 'i_3', 'i_4']);
    expect((await node.admin('GET', `${PERSON}/offboarding?cursor=x`)).status).toBe(400);
  });

  it('survive names that a database could refuse', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    device.record(1, { actor: { id: 'u\u0000' }, ...target('i\u0000', '😀'.repeat(400)) });
    expect((await node.send(device, 0)).status).toBe(200);
    expect((await report()).targets.map(({ id }) => id)).toEqual(['i\ufffd']);
  });

  it('are found by whichever node is asked, and by two at once', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    device.record(50, target('i_1'));
    const other = await harness.node();
    await node.send(device, 0);
    const [one, two] = await Promise.all([report('', node), report('', other)]);
    for (const { targets } of [one, two, await report('', other)]) {
      expect(targets.map(({ id }) => id)).toEqual(['i_1']);
    }
  });

  it('of a device that names more than is kept are said to be incomplete', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    device.record(1, target('i_1'));
    await node.send(device, 0);
    await node.registry.db
      .insertInto('exposure_overflows')
      .values({ tenant: 'acme', device: device.device, since: harness.now })
      .execute();
    expect((await report()).targetsComplete).toBe(false);
  });

  it('are said to be incomplete where retention took records that nobody had indexed', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    device.record(1, target('i_1'));
    await node.send(device, 0);
    expect((await report()).targetsComplete).toBe(true);
    await node.registry.db.updateTable('exposure_positions').set({ missed: 1 }).execute();
    expect((await report()).targetsComplete).toBe(false);
  });
});

describe('a revoked person', () => {
  it('has no device that gets a lease, however often it asks', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    expect((await node.send(device, 0, 0, {})).body.lease).toBeDefined();
    await revoke([]);
    for (let i = 0; i < 3; i++) expect((await node.send(device, 0, 0, {})).body.lease).toBeUndefined();
  });

  it('has purges of one device that say nothing to another', async () => {
    const [one, two] = [
      await harness.enrolled(node, { subject: 'ana' }),
      await harness.enrolled(node, { subject: 'ana' }),
    ];
    await revoke();
    const [first] = (await node.send(one, 0, 0)).body.directives!;
    const [second] = (await node.send(two, 0, 0)).body.directives!;
    expect(first).toContain(one.origin);
    expect(second).toContain(two.origin);
    // The other device's confirmation of a directive that is not its own confirms nothing.
    two.record(1, await confirmation(first!));
    await node.send(two, 0);
    expect((await report()).devices.map(({ end }) => end)).not.toContain('purged');
  });
});
