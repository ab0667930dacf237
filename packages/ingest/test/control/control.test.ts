import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { controlRoutes } from '../../src/control/routes.ts';
import { Api } from '../api-harness.ts';

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
  ['POST', '/tenants/{t}/policy/test', { address: '10.0.0.1' }],
  ['POST', '/tenants/{t}/enrolment-tokens', { uses: 1, expiresInSeconds: 60 }],
  ['GET', '/tenants/{t}/devices', undefined],
  ['POST', `/tenants/{t}/devices/${DEVICE}/approve`, undefined],
  ['POST', `/tenants/{t}/devices/${DEVICE}/revoke`, { reason: 'test' }],
  ['POST', '/tenants/{t}/subjects/ana/revoke', { reason: 'test' }],
  ['POST', '/tenants/{t}/revoke', { reason: 'test' }],
  ['GET', '/tenants/{t}/subjects/ana/offboarding', undefined],
  ['GET', `/tenants/{t}/devices/${DEVICE}/forks`, undefined],
] as const;

describe('every route of a tenant', () => {
  it('is among those that are tried here (INV-17)', () => {
    const tried = CALLS.map(([method, path]) => `${method} ${path.replace(DEVICE, '{d}')}`);
    const routes = controlRoutes(api.context).filter(({ path }) => path.includes('{tenant}'));
    expect(
      routes.map(({ method, path }) => {
        const short = path
          .replace('/admin/v1', '')
          .replace('{tenant}', '{t}')
          .replace('{device}', '{d}')
          .replace('{subject}', 'ana');
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
      quota: { eventsPerSecond: 5_000, appendsPerSecond: 100, waitingBytes: 4_194_304 },
    };
    expect(await api.admin('PUT', '/tenants/other/policy', policy)).toMatchObject({
      status: 200,
      body: policy,
    });
    const { body } = await api.admin('GET', '/tenants/other/policy');
    expect(body).toEqual({
      ...policy,
      enrolment: { ...policy.enrolment, methods: ['token', 'predecessor'] },
      dark: { afterHours: 72 },
    });
    expect((await api.events('other')).at(-1)).toMatchObject({
      action: 'tenant.policy_changed',
      data: {
        before: { approval: false, quota: {} },
        after: { approval: true, rules: ['10.0.0.0/8 allow'], quota: policy.quota },
      },
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
