import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../api-harness.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.open();
  await api.tenant('acme');
});
afterEach(() => api.close());

const policy = {
  enrolment: {
    approval: true,
    rules: [
      { cidr: '10.0.0.0/8', action: 'allow', lease: 'office' },
      { claims: { acrs: ['c1', 'c2'] }, action: 'report' },
      { cidr: '203.0.113.0/24', action: 'allow_without_cache' },
      { action: 'deny' },
    ],
  },
  leases: { office: { blockAfterHours: 24, wipeAfterHours: 48 } },
};

async function tried(body: object) {
  return api.admin('POST', '/tenants/acme/policy/test', body);
}

describe('a policy that is tried', () => {
  it.each([
    [
      { address: '10.1.2.3' },
      {
        rule: { number: 1, cidr: '10.0.0.0/8', action: 'allow', lease: 'office' },
        enrolment: { outcome: 'pending_approval' },
        lease: { profile: 'office', blockAfterSeconds: 86_400, wipeAfterSeconds: 172_800 },
        reported: false,
      },
    ],
    [
      { address: '192.0.2.1', claims: { acrs: 'c2' } },
      { rule: { number: 2 }, action: 'report', lease: { profile: 'default' }, reported: true },
    ],
    [{ address: '203.0.113.9' }, { rule: { number: 3 }, action: 'allow_without_cache', lease: null }],
    [
      { address: '2001:db8::1', claims: { acrs: 'c3' } },
      { rule: { number: 4 }, enrolment: { outcome: 'refused', code: 'ERR_POLICY' }, lease: null },
    ],
  ])('says of %j what would follow', async (from, expected) => {
    expect(await tried({ ...from, policy })).toMatchObject({
      status: 200,
      body: { ...expected, uploads: 'accepted' },
    });
  });

  it('is the one in force where none is given, and stays in force', async () => {
    expect(await tried({ address: '192.0.2.1' })).toMatchObject({ body: { rule: null, action: 'allow' } });
    await tried({ address: '192.0.2.1', policy });
    expect((await api.admin('GET', '/tenants/acme/policy')).body).toMatchObject({ enrolment: { rules: [] } });
    await api.admin('PUT', '/tenants/acme/policy', policy);
    expect(await tried({ address: '192.0.2.1' })).toMatchObject({ body: { action: 'deny' } });
    expect(await api.actions('acme')).toEqual(['tenant.created', 'tenant.policy_changed']);
  });

  it.each([
    [{ address: '10.0.0.0/8' }, 'address'],
    [{ address: 'office' }, 'address'],
    [{}, 'address'],
    [{ address: '10.0.0.1', claims: { acrs: 7 } }, 'claims.acrs'],
    [
      { address: '10.0.0.1', policy: { enrolment: { rules: [{ action: 'maybe' }] } } },
      'policy.enrolment.rules.0.action',
    ],
    [
      { address: '10.0.0.1', policy: { leases: { a: { blockAfterHours: 2, wipeAfterHours: 1 } } } },
      'policy.leases.a.wipeAfterHours',
    ],
  ])('is refused where it is wrong: %j', async (body, field) => {
    expect(await tried(body)).toMatchObject({ status: 400, body: { code: 'ERR_REQUEST', field } });
  });
});
