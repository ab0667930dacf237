import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api, AUTHORITY, refusedInLog } from '../api-harness.ts';
import { TestDevice } from '../test-device.ts';

let api: Api;
let device: TestDevice;
beforeEach(async () => {
  api = await Api.open();
  await api.tenant('acme');
  await api.tenant('other');
  device = await TestDevice.create(AUTHORITY, 'acme');
});
afterEach(() => api.close());

const OFFICE = '10.1.2.3';
const OUTSIDE = '203.0.113.9';

async function lastData() {
  return (await api.events('acme')).at(-1)!.data;
}

describe('a refused enrolment', () => {
  it('from outside the office names the rule in its event, and the address that was observed', async () => {
    const rules = [{ cidr: '10.0.0.0/8', action: 'report' }, { action: 'deny' }];
    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { rules } });
    const token = await api.enrolmentToken('acme');
    await refusedInLog(api, 'acme', 'ERR_POLICY', api.enrol(device, token, { from: OUTSIDE }));
    expect(await lastData()).toEqual({
      code: 'ERR_POLICY',
      method: 'token',
      address: OUTSIDE,
      rule: { number: 2, action: 'deny' },
    });
    // What a client claims beyond the trusted proxy changes nothing.
    const claimed = api.enrol(device, token, { from: `${OFFICE}, ${OUTSIDE}` });
    await refusedInLog(api, 'acme', 'ERR_POLICY', claimed);
    // Nothing was used up: from the office the same token lets it in, and a lost answer is given again.
    expect((await api.enrol(device, token, { from: OFFICE })).status).toBe(201);
    expect((await api.enrol(device, token, { from: OUTSIDE })).status).toBe(200);
  });

  it('by a token says which token, and why: expired, elsewhere, used up, another tenant’s', async () => {
    const spent = await api.enrolmentToken('acme');
    await api.enrol(await TestDevice.create(AUTHORITY, 'acme'), spent);
    await refusedInLog(api, 'acme', 'ERR_TOKEN_USED', api.enrol(device, spent));
    expect(await lastData()).toMatchObject({ token: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    const bound = await api.enrolmentToken('acme', { networks: ['10.0.0.0/8'] });
    await refusedInLog(api, 'acme', 'ERR_TOKEN_NETWORK', api.enrol(device, bound, { from: OUTSIDE }));
    const foreign = await api.enrolmentToken('other');
    await refusedInLog(api, 'acme', 'ERR_TOKEN_UNKNOWN', api.enrol(device, foreign));
    expect(await lastData()).not.toHaveProperty('token');
    const short = await api.enrolmentToken('acme', { expiresInSeconds: 1 });
    api.now += 1000;
    await refusedInLog(api, 'acme', 'ERR_TOKEN_EXPIRED', api.enrol(device, short));
  });

  it('for want of room is decided by the devices that are not revoked, the own log not counted', async () => {
    await api.admin('PUT', '/tenants/acme/policy', { quota: { devices: 1 } });
    const first = await api.enrolled('acme');
    const token = await api.enrolmentToken('acme');
    await refusedInLog(api, 'acme', 'ERR_DEVICE_QUOTA', api.enrol(device, token));
    await api.admin('POST', `/tenants/acme/devices/${first.device}/revoke`, { reason: 'left' });
    expect((await api.enrol(device, token)).status).toBe(201);
  });
});
