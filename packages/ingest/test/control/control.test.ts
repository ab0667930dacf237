import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openStatement, PURGE_NOTE } from '@tachograph/wire';
import { controlRoutes } from '../../src/control/routes.ts';
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

/** A valid call of every route that names a tenant. */
const CALLS = [
  ['GET', '/tenants/{t}/policy', undefined],
  ['PUT', '/tenants/{t}/policy', {}],
  ['POST', '/tenants/{t}/enrolment-tokens', { uses: 1, expiresInSeconds: 60 }],
  ['GET', '/tenants/{t}/devices', undefined],
  ['POST', `/tenants/{t}/devices/${DEVICE}/approve`, undefined],
  ['POST', `/tenants/{t}/devices/${DEVICE}/revoke`, { reason: 'test' }],
  ['GET', `/tenants/{t}/devices/${DEVICE}/forks`, undefined],
] as const;

describe('every route of a tenant', () => {
  it('is among those that are tried here (INV-17)', () => {
    const tried = CALLS.map(([method, path]) => `${method} ${path.replace(DEVICE, '{d}')}`);
    const routes = controlRoutes(api.context).filter(({ path }) => path.includes('{tenant}'));
    expect(
      routes.map(({ method, path }) => {
        const short = path.replace('/admin/v1', '').replace('{tenant}', '{t}').replace('{device}', '{d}');
        return `${method} ${short}`;
      }),
    ).toEqual(tried);
  });

  it.each(CALLS)('%s %s wants a token that reaches the tenant (INV-17)', async (method, path, body) => {
    const provider = await api.adminToken('provider');
    const customer = await api.adminToken('customer');
    const call = (tenant: string, token: string) =>
      api.admin(method, path.replace('{t}', tenant), body, token);
    for (const [tenant, token] of [
      ['other', provider],
      ['other', customer],
      // A customer does not reach its provider.
      ['provider', customer],
      // What does not exist looks like what is not reached.
      ['nobody', provider],
    ] as const) {
      expect(await call(tenant, token)).toMatchObject({ status: 403, body: { code: 'ERR_FORBIDDEN' } });
    }
    for (const token of ['tacho_admin_invented', '']) {
      expect(await call('other', token)).toMatchObject({
        status: 401,
        body: { code: 'ERR_UNAUTHENTICATED' },
      });
    }
    for (const [tenant, token] of [
      ['provider', provider],
      ['customer', provider],
      ['customer', customer],
    ] as const) {
      expect([200, 201, 404]).toContain((await call(tenant, token)).status);
    }
  });

  it.each(CALLS)('%s %s knows no tenant that does not exist', async (method, path, body) => {
    expect(await api.admin(method, path.replace('{t}', 'nobody'), body)).toMatchObject({
      status: 404,
      body: { code: 'ERR_UNKNOWN_TENANT' },
    });
  });

  it.each(CALLS)('%s %s leaves nothing behind where it is refused', async (method, path, body) => {
    const before = await api.actions('other');
    await api.admin(method, path.replace('{t}', 'other'), body, await api.adminToken('provider'));
    expect(await api.actions('other')).toEqual(before);
  });
});

describe('tenants', () => {
  it('are made with their own log, whose first event says so', async () => {
    const reply = await api.admin('POST', '/tenants', { id: 'new', name: 'New Ltd', parent: 'provider' });
    expect(reply).toMatchObject({ status: 201, body: { id: 'new', name: 'New Ltd', parent: 'provider' } });
    expect((await api.events('new')).map(({ action, data }) => [action, data])).toEqual([
      ['tenant.created', { parent: 'provider' }],
    ]);
  });

  it.each([
    [{ id: 'other', name: 'x' }, 409, 'ERR_EXISTS'],
    [{ id: 'new', name: 'x', parent: 'nobody' }, 404, 'ERR_UNKNOWN_TENANT'],
    [{ id: 'new', name: 'x', parent: 'customer' }, 400, 'ERR_REQUEST'],
    [{ id: 'No', name: 'x' }, 400, 'ERR_REQUEST'],
    [{ id: 'new', name: 'x', extra: 1 }, 400, 'ERR_REQUEST'],
  ])('are refused as %j', async (body, status, code) => {
    expect(await api.admin('POST', '/tenants', body)).toMatchObject({ status, body: { code } });
  });

  it('are made by a limited token only as its own customers', async () => {
    const token = await api.adminToken('provider');
    const make = (body: object) => api.admin('POST', '/tenants', { name: 'x', ...body }, token);
    expect(await make({ id: 'mine', parent: 'provider' })).toMatchObject({ status: 201 });
    expect(await make({ id: 'free' })).toMatchObject({ status: 403 });
    expect(await make({ id: 'theirs', parent: 'other' })).toMatchObject({ status: 403 });
  });

  it('are listed as far as the token reaches', async () => {
    const ids = async (token?: string) => {
      const { body } = await api.admin('GET', '/tenants', undefined, token);
      return (body['tenants'] as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids()).toEqual(['customer', 'other', 'provider']);
    expect(await ids(await api.adminToken('provider'))).toEqual(['customer', 'provider']);
    expect(await ids(await api.adminToken('customer'))).toEqual(['customer']);
  });
});

describe('a policy', () => {
  it('is read back as it was put, with defaults, and the change is an event', async () => {
    const policy = {
      enrolment: { approval: true, rules: [{ cidr: '10.0.0.0/8', action: 'allow', lease: 'office' }] },
      leases: { office: { blockAfterHours: 24, wipeAfterHours: 48 } },
    };
    expect(await api.admin('PUT', '/tenants/other/policy', policy)).toMatchObject({
      status: 200,
      body: policy,
    });
    const { body } = await api.admin('GET', '/tenants/other/policy');
    expect(body).toEqual({
      ...policy,
      enrolment: { ...policy.enrolment, methods: ['token', 'predecessor'] },
    });
    expect((await api.events('other')).at(-1)).toMatchObject({
      action: 'tenant.policy_changed',
      data: { before: { approval: false }, after: { approval: true, rules: ['10.0.0.0/8 allow'] } },
    });
  });

  it.each([
    [{ enrolment: { rules: [{ cidr: '10.0.0.1/8', action: 'deny' }] } }, 'enrolment.rules.0.cidr'],
    [{ enrolment: { rules: [{ action: 'block' }] } }, 'enrolment.rules.0.action'],
    [{ enrolment: { rules: [{ action: 'allow', lease: 'nope' }] } }, 'enrolment.rules.0.lease'],
    [{ enrolment: { methods: ['oidc'] } }, 'enrolment.methods.0'],
    [{ leases: { a: { blockAfterHours: 5, wipeAfterHours: 4 } } }, 'leases.a.wipeAfterHours'],
  ])('that is wrong names the field: %j', async (policy, field) => {
    expect(await api.admin('PUT', '/tenants/other/policy', policy)).toMatchObject({
      status: 400,
      body: { code: 'ERR_REQUEST', field },
    });
  });
});

describe('enrolment tokens', () => {
  it.each([
    { uses: 0, expiresInSeconds: 60 },
    { uses: 1, expiresInSeconds: 0 },
    { uses: 1, expiresInSeconds: 60, networks: ['10.0.0.0/33'] },
    { uses: 1, expiresInSeconds: 60, networks: [] },
    { uses: 1, expiresInSeconds: 60, subject: '' },
  ])('are not made from %j', async (body) => {
    expect(await api.admin('POST', '/tenants/other/enrolment-tokens', body)).toMatchObject({ status: 400 });
  });
});

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

  it.each(['status=gone', 'limit=0', 'limit=5000', 'cursor=x', 'subject='])(
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
    const { key } = api.context.directive;
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

describe('administrator tokens', () => {
  it('are kept as a hash, work until they are taken back, and are made by those who reach all', async () => {
    const made = await api.admin('POST', '/admin-tokens', { tenant: 'provider' });
    const token = String(made.body['token']);
    const rows = await api.context.registry.db.selectFrom('admin_tokens').selectAll().execute();
    expect(Buffer.from(rows[0]!.hash).includes(token)).toBe(false);
    expect(await api.admin('GET', '/tenants', undefined, token)).toMatchObject({ status: 200 });
    expect(await api.admin('POST', '/admin-tokens', { tenant: null }, token)).toMatchObject({
      status: 403,
      body: { code: 'ERR_FORBIDDEN' },
    });
    const path = `/admin-tokens/${String(made.body['id'])}`;
    expect(await api.admin('DELETE', path, undefined, token)).toMatchObject({ status: 403 });
    expect(await api.admin('DELETE', path)).toMatchObject({ status: 200 });
    expect(await api.admin('DELETE', path)).toMatchObject({ status: 404 });
    expect(await api.admin('GET', '/tenants', undefined, token)).toMatchObject({ status: 401 });
  });
});
