import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openStatement, PURGE_NOTE } from '@tachograph/wire';
import { Api, AUTHORITY, need, type Reply } from '../api-harness.ts';
import { TestDevice } from '../test-device.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.open();
  await api.tenant('provider');
  await api.tenant('customer', 'provider');
  await api.tenant('other');
});
afterEach(() => api.close());

const DEVICE = 'A'.repeat(43);

describe('devices', () => {
  it('are listed page by page, without the tenant’s own log', async () => {
    const devices = await Promise.all([1, 2, 3].map(() => api.enrolled('other')));
    const pages: Reply[] = [];
    for (let cursor: unknown = ''; typeof cursor === 'string'; cursor = pages.at(-1)!.body['cursor']) {
      const from = cursor === '' ? '' : `&cursor=${cursor}`;
      pages.push(await api.admin('GET', `/tenants/other/devices?limit=2${from}`));
    }
    const listed = pages.map(({ body }) =>
      (body['devices'] as { device: string }[]).map((row) => row.device),
    );
    expect(listed.map((page) => page.length)).toEqual([2, 1]);
    expect(listed.flat()).toEqual(devices.map(({ device }) => String(device)).sort());
  });

  it('are found by status and by subject', async () => {
    const anas = await api.enrolled('other', { subject: 'ana' });
    const ben = await api.enrolled('other', { subject: 'ben' });
    await api.admin('POST', `/tenants/other/devices/${ben.device}/revoke`, { reason: 'left' });
    const ids = async (query: string) => {
      const { body } = await api.admin('GET', `/tenants/other/devices?${query}`);
      return (body['devices'] as { device: string }[]).map(({ device }) => device);
    };
    expect(await ids('subject=ana')).toEqual([anas.device]);
    expect(await ids('status=revoked')).toEqual([ben.device]);
    expect(await ids('status=revoked&subject=ana')).toEqual([]);
    expect(await ids(`device=${ben.device}`)).toEqual([ben.device]);
  });

  it('say when they were seen, what they hold and how their clock is', async () => {
    const device = await api.enrolled('other');
    await api.context.registry.db
      .insertInto('sightings')
      .values({
        tenant: 'other',
        device: device.device,
        received_at: api.now,
        pending_count: 7,
        oldest_pending_at: api.now - 60_000,
        wall_at: api.now + 1500,
        boot: 'b',
        monotonic_ms: 1,
        clock_offset_ms: 1500,
      })
      .execute();
    const { body } = await api.admin('GET', '/tenants/other/devices');
    expect(body['devices']).toEqual([
      expect.objectContaining({
        device: device.device,
        status: 'enrolled',
        size: 0,
        lastSeen: '2026-11-22T10:00:00.000Z',
        pending: 7,
        oldestPending: '2026-11-22T09:59:00.000Z',
        clockOffsetMs: 1500,
      }),
    ]);
  });

  it.each(['status=gone', 'limit=0', 'limit=5000', 'cursor=x', 'subject=', 'device=x'])(
    'are not listed by ?%s',
    async (query) => {
      expect(await api.admin('GET', `/tenants/other/devices?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'ERR_REQUEST', field: query.split('=')[0] },
      });
    },
  );
});

describe('approval', () => {
  it('that is given twice is one event', async () => {
    await api.admin('PUT', '/tenants/other/policy', { enrolment: { approval: true } });
    const { device } = await api.enrolled('other');
    const path = `/tenants/other/devices/${device}/approve`;
    expect(await api.admin('POST', path)).toMatchObject({ status: 200, body: { status: 'enrolled' } });
    const actions = await api.actions('other');
    expect(await api.admin('POST', path)).toMatchObject({ status: 200, body: { status: 'enrolled' } });
    expect(await api.actions('other')).toEqual(actions);
  });

  it('does not bring a revoked device back', async () => {
    const { device } = await api.enrolled('other');
    await api.admin('POST', `/tenants/other/devices/${device}/revoke`, { reason: 'left' });
    expect(await api.admin('POST', `/tenants/other/devices/${device}/approve`)).toMatchObject({
      status: 400,
    });
  });

  it('is for devices: not for the tenant’s own log, not for those of other tenants', async () => {
    const foreign = await api.enrolled('customer');
    const own = await api.context.registry.db
      .selectFrom('tenant_logs')
      .select('device')
      .where('tenant', '=', 'other')
      .executeTakeFirstOrThrow();
    for (const device of [foreign.device, own.device, DEVICE]) {
      for (const [decision, body] of [
        ['approve', undefined],
        ['revoke', { reason: 'x' }],
      ] as const) {
        expect(await api.admin('POST', `/tenants/other/devices/${device}/${decision}`, body)).toMatchObject({
          status: 404,
          body: { code: 'ERR_UNKNOWN_DEVICE' },
        });
      }
    }
    expect(await api.deviceRow(foreign)).toMatchObject({ status: 'enrolled' });
  });
});

describe('revocation', () => {
  it('is an event, and without a purge no directive', async () => {
    const device = await api.enrolled('other');
    const reply = await api.admin('POST', `/tenants/other/devices/${device.device}/revoke`, {
      reason: 'lost',
    });
    expect(reply).toMatchObject({ status: 200, body: { status: 'revoked', directive: null } });
    expect(await api.deviceRow(device)).toMatchObject({ status: 'revoked', revoked_at: api.now });
    expect((await api.events('other')).at(-1)).toMatchObject({
      action: 'device.revoked',
      data: { reason: 'lost' },
    });
  });

  it('with a purge stores a directive that the directive key has signed for this log', async () => {
    const device = await api.enrolled('other');
    const path = `/tenants/other/devices/${device.device}/revoke`;
    const { body } = await api.admin('POST', path, { reason: 'lost', purge: ['v_1', 'v_2'] });
    const { key } = api.context.directives[0]!;
    const statement = need(await openStatement(PURGE_NOTE, String(body['directive']), [key]));
    expect(statement).toEqual({
      origin: device.origin,
      id: expect.any(String),
      scopes: ['v_1', 'v_2'],
      reason: 'lost',
      issued: api.now,
    });
    const rows = await api.context.registry.db.selectFrom('directives').selectAll().execute();
    expect(rows).toMatchObject([{ id: statement.id, device: device.device, note: body['directive'] }]);
    expect((await api.actions('other')).slice(-2)).toEqual(['device.revoked', 'purge.ordered']);
  });

  it('again keeps its time, and may order a further purge', async () => {
    const device = await api.enrolled('other');
    const path = `/tenants/other/devices/${device.device}/revoke`;
    await api.admin('POST', path, { reason: 'lost' });
    const at = api.now;
    api.now += 5000;
    const { body } = await api.admin('POST', path, { reason: 'found by somebody', purge: ['*'] });
    expect(body['revokedAt']).toBe(new Date(at).toISOString());
    expect(await api.deviceRow(device)).toMatchObject({ revoked_at: at, revocation_reason: 'lost' });
    expect((await api.actions('other')).slice(-2)).toEqual(['device.revoked', 'purge.ordered']);
  });

  it.each([
    { purge: [] },
    { reason: 'two\nlines' },
    { reason: 'x', purge: ['a,b'] },
    { reason: 'x', purge: ['*', 'v_1'] },
    { reason: 'x', purge: [''] },
  ])('is not ordered by %j', async (body) => {
    const device = await api.enrolled('other');
    const path = `/tenants/other/devices/${device.device}/revoke`;
    expect(await api.admin('POST', path, body)).toMatchObject({ status: 400, body: { code: 'ERR_REQUEST' } });
    expect(await api.deviceRow(device)).toMatchObject({ status: 'enrolled' });
  });
});

describe('forks', () => {
  it('are answered with both checkpoints', async () => {
    const device = await api.enrolled('other');
    await api.context.registry.db
      .insertInto('forks')
      .values({
        tenant: 'other',
        device: device.device,
        id: 'f1',
        leaf_index: 3,
        accepted_checkpoint: 'accepted note',
        submitted_checkpoint: 'submitted note',
        differing: JSON.stringify([{ index: 3, accepted: 'aa', submitted: 'bb', leaf: 'cc' }]),
        detected_at: api.now,
      })
      .execute();
    expect(await api.admin('GET', `/tenants/other/devices/${device.device}/forks`)).toMatchObject({
      status: 200,
      body: {
        forks: [
          {
            id: 'f1',
            index: 3,
            acceptedCheckpoint: 'accepted note',
            submittedCheckpoint: 'submitted note',
            differing: [{ index: 3, accepted: 'aa', submitted: 'bb', leaf: 'cc' }],
          },
        ],
      },
    });
  });

  it('of a device that has shown one history are none', async () => {
    const device = await TestDevice.create(AUTHORITY, 'other');
    await api.enrol(device, await api.enrolmentToken('other'));
    expect(await api.admin('GET', `/tenants/other/devices/${device.device}/forks`)).toMatchObject({
      status: 200,
      body: { forks: [] },
    });
  });
});
