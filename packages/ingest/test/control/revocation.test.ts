import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openStatement, PURGE_NOTE } from '@tachograph/wire';
import { Api, AUTHORITY, need } from '../api-harness.ts';
import { TestDevice } from '../test-device.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.open();
  await api.tenant('provider');
  await api.tenant('customer', 'provider');
  await api.tenant('idle', 'provider');
  await api.tenant('other');
});
afterEach(() => api.close());

const order = { reason: 'left the company', purge: ['*'] };

async function statuses(...devices: TestDevice[]): Promise<(string | undefined)[]> {
  return Promise.all(devices.map(async (device) => (await api.deviceRow(device))?.status));
}

async function directives() {
  return api.context.registry.db.selectFrom('directives').selectAll().orderBy('device').execute();
}

describe('the revocation of a person', () => {
  it.each(['%00', 'ana%0Aben', 'ana%E2%80%AE'])(
    'names them in one line of text, unlike %s',
    async (subject) => {
      const at = `/tenants/other/subjects/${subject}`;
      const refused = { status: 400 };
      expect(await api.admin('POST', `${at}/revoke`, order)).toMatchObject(refused);
      expect(await api.admin('GET', `${at}/offboarding`)).toMatchObject(refused);
      expect(await api.admin('GET', `/tenants/other/devices?subject=${subject}`)).toMatchObject(refused);
    },
  );

  it('takes every device of theirs and no other, each with a purge that its own log alone can use', async () => {
    const anas = [
      await api.enrolled('other', { subject: 'ana' }),
      await api.enrolled('other', { subject: 'ana' }),
    ];
    const ben = await api.enrolled('other', { subject: 'ben' });
    const namesake = await api.enrolled('customer', { subject: 'ana' });
    expect(await api.admin('POST', '/tenants/other/subjects/ana/revoke', order)).toEqual({
      status: 200,
      body: { devices: 2, revoked: 2, purgesOrdered: 2, tokensEnded: 0 },
    });
    expect(await statuses(...anas, ben, namesake)).toEqual(['revoked', 'revoked', 'enrolled', 'enrolled']);
    const { key } = api.context.directives[0]!;
    const ordered = await Promise.all(
      (await directives()).map(async ({ note }) => need(await openStatement(PURGE_NOTE, note, [key])).origin),
    );
    expect(ordered.toSorted()).toEqual(anas.map(({ origin }) => origin).toSorted());
  });

  it('says so in the tenant’s log: the decision, and each device with its purge', async () => {
    await api.enrolled('other', { subject: 'ana' });
    await api.admin('POST', '/tenants/other/subjects/ana/revoke', order);
    const events = (await api.events('other')).slice(-3);
    expect(events.map(({ action }) => action)).toEqual([
      'subject.revoked',
      'device.revoked',
      'purge.ordered',
    ]);
    expect(events[0]).toMatchObject({
      actor: { type: 'administrator' },
      targets: [{ type: 'subject', id: 'ana' }],
      data: { reason: order.reason, purge: ['*'] },
    });
  });

  it('ends the enrolment tokens that were bound to them', async () => {
    const bound = await api.enrolmentToken('other', { subject: 'ana', uses: 5 });
    const free = await api.enrolmentToken('other', { uses: 5 });
    const { body } = await api.admin('POST', '/tenants/other/subjects/ana/revoke', order);
    expect(body['tokensEnded']).toBe(1);
    const device = await TestDevice.create(AUTHORITY, 'other');
    expect(await api.enrol(device, bound)).toMatchObject({
      status: 403,
      body: { code: 'ERR_TOKEN_EXPIRED' },
    });
    expect((await api.enrol(device, free)).status).toBe(201);
  });

  it('that is made again orders nothing twice, also once the purge was confirmed (INV-07)', async () => {
    await api.enrolled('other', { subject: 'ana' });
    await api.admin('POST', '/tenants/other/subjects/ana/revoke', order);
    const first = await directives();
    const again = { devices: 1, revoked: 0, purgesOrdered: 0, tokensEnded: 0 };
    api.now += 60_000;
    expect((await api.admin('POST', '/tenants/other/subjects/ana/revoke', order)).body).toEqual(again);
    await api.context.registry.db.updateTable('directives').set({ confirmed_at: api.now }).execute();
    expect((await api.admin('POST', '/tenants/other/subjects/ana/revoke', order)).body).toEqual(again);
    expect((await directives()).map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  });

  it('reaches the customers of a provider where it is asked to, and only those', async () => {
    const [own, theirs, foreign] = [
      await api.enrolled('provider', { subject: 'ana' }),
      await api.enrolled('customer', { subject: 'ana' }),
      await api.enrolled('other', { subject: 'ana' }),
    ];
    const token = await api.adminToken('provider');
    const path = '/tenants/provider/subjects/ana/revoke';
    await api.admin('POST', path, order, token);
    expect(await statuses(own, theirs, foreign)).toEqual(['revoked', 'enrolled', 'enrolled']);
    expect((await api.admin('POST', `${path}?children=true`, order, token)).body).toMatchObject({
      devices: 2,
      revoked: 1,
    });
    expect(await statuses(own, theirs, foreign)).toEqual(['revoked', 'revoked', 'enrolled']);
    // A customer that the person never had to do with is not told of them.
    expect(await api.actions('idle')).not.toContain('subject.revoked');
    expect(await api.actions('customer')).toContain('subject.revoked');
  });

  it('goes through more devices than one page', async () => {
    const template = await api.enrolled('other', { subject: 'ana' });
    const row = (await api.deviceRow(template))!;
    for (let i = 0; i < 150; i++) {
      const device = `${String(i).padStart(3, '0')}${row.device.slice(3)}`;
      await api.context.registry.db
        .insertInto('devices')
        .values({ ...row, device })
        .execute();
    }
    expect((await api.admin('POST', '/tenants/other/subjects/ana/revoke', order)).body).toMatchObject({
      devices: 151,
      revoked: 151,
      purgesOrdered: 151,
    });
  });

  it.each([
    [{ purge: ['*'] }, 'reason'],
    [{ reason: 'x', purge: ['*', 'v_1'] }, 'purge'],
    [{ reason: 'x', purge: ['-'] }, 'purge'],
    [{ reason: 'x', purge: ['a,b'] }, 'purge.0'],
    [{ reason: 'x', everything: true }, 'body'],
  ])('is refused for %j', async (body, field) => {
    expect(await api.admin('POST', '/tenants/other/subjects/ana/revoke', body)).toMatchObject({
      status: 400,
      body: { code: 'ERR_REQUEST', field },
    });
  });
});

describe('the revocation of a tenant', () => {
  it('holds for a device that was restored behind it, too', async () => {
    const inside = await api.enrolled('other');
    await api.admin('POST', '/tenants/other/revoke', order);
    const row = { status: 'quarantined', revoked_at: null } as const;
    await api.context.registry.db
      .updateTable('devices')
      .set(row)
      .where('device', '=', inside.device)
      .execute();
    expect(await api.admin('POST', `/tenants/other/devices/${inside.device}/approve`)).toMatchObject({
      status: 403,
      body: { code: 'ERR_TENANT_REVOKED' },
    });
    expect(await statuses(inside)).toEqual(['quarantined']);
  });

  it('takes its devices and tokens, and lets nobody in any more', async () => {
    const inside = await api.enrolled('other');
    const token = await api.enrolmentToken('other', { uses: 5 });
    expect((await api.admin('POST', '/tenants/other/revoke', order)).body).toEqual({
      devices: 1,
      revoked: 1,
      purgesOrdered: 1,
      tokensEnded: 1,
    });
    expect(await statuses(inside)).toEqual(['revoked']);
    const fresh = await api.enrolmentToken('other');
    for (const credential of [token, fresh]) {
      const device = await TestDevice.create(AUTHORITY, 'other');
      expect(await api.enrol(device, credential)).toMatchObject({
        status: 403,
        body: { code: 'ERR_TENANT_REVOKED' },
      });
    }
    expect((await api.events('other')).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['tenant.revoked', 'device.enrolment_refused']),
    );
  });

  it('leaves its customers alone unless it is told otherwise', async () => {
    const theirs = await api.enrolled('customer');
    await api.admin('POST', '/tenants/provider/revoke', order);
    expect(await statuses(theirs)).toEqual(['enrolled']);
    await api.admin('POST', '/tenants/provider/revoke?children=true', order);
    expect(await statuses(theirs)).toEqual(['revoked']);
  });

  it('is said once, however often it is ordered', async () => {
    await api.admin('POST', '/tenants/other/revoke', order);
    await api.admin('POST', '/tenants/other/revoke', order);
    expect((await api.actions('other')).filter((action) => action === 'tenant.revoked')).toHaveLength(1);
  });
});
