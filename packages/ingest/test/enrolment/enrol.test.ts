import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatVkey, LIMITS } from '@tachograph/wire';
import { EMPTY_HEAD, storeHeads } from '../../src/registry/heads.ts';
import { Api, AUTHORITY, refusedInLog, type Reply } from '../api-harness.ts';
import { rerun } from '../rerun.ts';
import { TestDevice } from '../test-device.ts';

const HOUR_MS = 3_600_000;
let api: Api;
let device: TestDevice;
beforeEach(async () => {
  api = await Api.open();
  await api.tenant('acme');
  await api.tenant('other');
  device = await TestDevice.create(AUTHORITY, 'acme');
});
afterEach(() => api.close());

describe('GET /v1/enrolment/{tenant}', () => {
  it('gives a challenge for an hour, the enabled methods and the keys', async () => {
    const { status, body } = await api.call('GET', '/v1/enrolment/acme');
    expect(status).toBe(200);
    expect(body).toEqual({
      authority: AUTHORITY,
      challenge: expect.stringMatching(/^[\w-]{40,512}$/),
      expires: new Date(api.now + HOUR_MS).toISOString(),
      methods: ['token', 'predecessor'],
      keys: api.context.keys.keysNote,
      directiveKey: formatVkey(api.context.directives[0]!.key),
    });
  });

  it('knows no tenant that does not exist, and refuses what is no name', async () => {
    expect(await api.call('GET', '/v1/enrolment/nobody')).toMatchObject({
      status: 404,
      body: { code: 'ERR_UNKNOWN_TENANT' },
    });
    expect(await api.call('GET', '/v1/enrolment/No%20Body')).toMatchObject({
      status: 400,
      body: { code: 'ERR_NAME', field: 'tenant' },
    });
  });
});

describe('enrolment by token', () => {
  it('enrols the device, tells it what it needs, and puts its vkey into the tenant’s log', async () => {
    const token = await api.enrolmentToken('acme', { subject: 'ana' });
    const { status, body } = await api.enrol(device, token, {
      installation: { label: 'Ana’s laptop', platform: 'linux' },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      device: device.device,
      origin: device.origin,
      status: 'enrolled',
      size: 0,
      keys: api.context.keys.keysNote,
      limits: { ...LIMITS },
    });
    expect(await api.deviceRow(device)).toMatchObject({
      subject: 'ana',
      installation: device.device,
      installation_label: 'Ana’s laptop',
      platform: 'linux',
      status: 'enrolled',
      // The rules decide at every lease, from where the device is then.
      lease_profile: null,
      enrolled_at: api.now,
    });
    expect((await api.events('acme')).at(-1)).toMatchObject({
      action: 'device.enrolled',
      actor: { id: 'ana', type: 'user' },
      targets: [{ type: 'device', id: device.device, name: 'Ana’s laptop' }],
      data: {
        vkey: formatVkey(device.signer.key),
        origin: device.origin,
        method: 'token',
        status: 'enrolled',
      },
    });
    expect(api.wakes).toBeGreaterThan(0);
  });

  it('stores no token as it is', async () => {
    const token = await api.enrolmentToken('acme');
    const rows = await api.context.registry.db.selectFrom('enrolment_tokens').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(Buffer.from(rows[0]!.hash).toString()).not.toContain(token);
    expect(JSON.stringify(await api.events('acme'))).not.toContain(token);
  });

  it('gives a device whose answer was lost its state again, and takes no second use (INV-07, INV-16)', async () => {
    const token = await api.enrolmentToken('acme');
    const body = await api.enrolment(device, { type: 'token', token });
    expect(await api.send(device, body)).toMatchObject({ status: 201 });
    const before = await api.actions('acme');
    expect(await api.send(device, body)).toMatchObject({
      status: 200,
      body: { status: 'enrolled', size: 0 },
    });
    expect(await api.actions('acme')).toEqual(before);
  });

  it('gives a known key with a fresh proof its state whatever its credential', async () => {
    await api.enrol(device, await api.enrolmentToken('acme'));
    api.now += 30 * 24 * HOUR_MS;
    expect(await api.enrol(device, 'no token at all')).toMatchObject({
      status: 200,
      body: { status: 'enrolled' },
    });
  });

  it('tells a known device the size that its log has', async () => {
    await api.enrol(device, await api.enrolmentToken('acme'));
    const head = { ...EMPTY_HEAD, range: { size: 4021, hashes: [] } };
    await storeHeads(api.context.registry.db, 0, [
      { tenant: 'acme', device: device.device, head, endOffset: null },
    ]);
    expect(await api.enrol(device, 'anything')).toMatchObject({ status: 200, body: { size: 4021 } });
  });

  it('lets one of two win that use the last use of a token at once', async () => {
    const token = await api.enrolmentToken('acme');
    const devices = await Promise.all([1, 2, 3, 4].map(() => TestDevice.create(AUTHORITY, 'acme')));
    const bodies = await Promise.all(devices.map((one) => api.enrolment(one, { type: 'token', token })));
    const replies = await Promise.all(devices.map((one, i) => api.send(one, bodies[i]!)));
    expect(replies.map(({ status }) => String(status)).sort()).toEqual(['201', '403', '403', '403']);
    expect(replies.filter(({ status }) => status === 403).map(({ body }) => body['code'])).toEqual([
      'ERR_TOKEN_USED',
      'ERR_TOKEN_USED',
      'ERR_TOKEN_USED',
    ]);
  });

  it('takes one use when one device sends its enrolment twice at once', async () => {
    const token = await api.enrolmentToken('acme', { uses: 2 });
    const body = await api.enrolment(device, { type: 'token', token });
    const replies = await Promise.all([api.send(device, body), api.send(device, body)]);
    expect(replies.map(({ status }) => String(status)).sort()).toEqual(['200', '201']);
    const row = await api.context.registry.db
      .selectFrom('enrolment_tokens')
      .select('uses_left')
      .executeTakeFirst();
    expect(row).toEqual({ uses_left: 1 });
  });

  it('refuses a token that has expired', async () => {
    const token = await api.enrolmentToken('acme', { expiresInSeconds: 60 });
    api.now += 60_000;
    await refusedWith('ERR_TOKEN_EXPIRED', api.enrol(device, token));
  });

  it('refuses a token of another tenant as if it did not exist (INV-17)', async () => {
    await refusedWith('ERR_TOKEN_UNKNOWN', api.enrol(device, await api.enrolmentToken('other')));
    await refusedWith('ERR_TOKEN_UNKNOWN', api.enrol(device, 'tacho_enrol_invented'));
  });

  it('refuses a token outside its networks and takes no use for it', async () => {
    const token = await api.enrolmentToken('acme', { networks: ['10.0.0.0/8', '2001:db8::/32'] });
    await refusedWith('ERR_TOKEN_NETWORK', api.enrol(device, token, { from: '192.0.2.1' }));
    expect(await api.enrol(device, token, { from: '2001:db8::7' })).toMatchObject({ status: 201 });
  });

  it('believes no X-Forwarded-For that a client put before the proxy’s own', async () => {
    const token = await api.enrolmentToken('acme', { networks: ['10.0.0.0/8'] });
    await refusedWith('ERR_TOKEN_NETWORK', api.enrol(device, token, { from: '10.0.0.1, 192.0.2.1' }));
  });

  it('waits for an administrator where the policy asks for approval', async () => {
    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { approval: true } });
    expect(await api.enrol(device, await api.enrolmentToken('acme'))).toMatchObject({
      status: 201,
      body: { status: 'pending_approval' },
    });
    expect((await api.actions('acme')).at(-1)).toBe('device.enrolment_requested');
    await api.admin('POST', `/tenants/acme/devices/${device.device}/approve`);
    expect(await api.enrol(device, 'whatever')).toMatchObject({ status: 200, body: { status: 'enrolled' } });
    expect((await api.actions('acme')).slice(-2)).toEqual(['device.approved', 'device.enrolled']);
    expect((await api.events('acme')).at(-1)!.data).toMatchObject({ vkey: formatVkey(device.signer.key) });
  });

  it('tells a revoked device that it is', async () => {
    await api.enrol(device, await api.enrolmentToken('acme'));
    await api.admin('POST', `/tenants/acme/devices/${device.device}/revoke`, { reason: 'left' });
    expect(await api.enrol(device, await api.enrolmentToken('acme'))).toMatchObject({
      status: 200,
      body: { status: 'revoked' },
    });
  });
});

describe('the rules of a policy', () => {
  it('deny enrolment from a network, and say which rule did', async () => {
    const rules = [{ cidr: '10.0.0.0/8', action: 'allow' }, { action: 'deny' }];
    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { rules } });
    const token = await api.enrolmentToken('acme');
    const reply = await refusedWith('ERR_POLICY', api.enrol(device, token, { from: '192.0.2.1' }));
    expect(reply.body['detail']).toContain('rule 2');
    expect(await api.enrol(device, token, { from: '10.1.2.3' })).toMatchObject({ status: 201 });
  });

  it('report a device that they let in', async () => {
    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { rules: [{ action: 'report' }] } });
    await api.enrol(device, await api.enrolmentToken('acme'));
    expect((await api.events('acme')).at(-1)!.data).toMatchObject({ rule: { number: 1, action: 'report' } });
  });

  it('disable a method', async () => {
    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { methods: ['predecessor'] } });
    expect((await api.call('GET', '/v1/enrolment/acme')).body['methods']).toEqual(['predecessor']);
    await refusedWith('ERR_METHOD', api.enrol(device, await api.enrolmentToken('acme')));
  });
});

describe('a flood', () => {
  it('from one address is turned away with the time to wait, others are not', async () => {
    await api.close();
    api = await Api.open({ ENROLMENTS_PER_MINUTE: '2' });
    await api.tenant('acme');
    const tries = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'];
    const statuses: number[] = [];
    for (const from of tries) statuses.push((await api.enrol(device, 'none', { from })).status);
    expect(statuses).toEqual([403, 403, 429, 403]);
    const body = await api.enrolment(device, { type: 'token', token: 'none' });
    const reply = await api.fetch('POST', '/v1/enrolment/acme', body, { 'x-forwarded-for': '192.0.2.1' });
    expect(reply.headers.get('retry-after')).toBe('30');
    expect(await reply.json()).toMatchObject({ code: 'ERR_RATE', retryAfterSeconds: 30 });
  });

  it('of refusals from anywhere puts a minute’s worth into the log of the tenant, and counts the rest (INV-12)', async () => {
    for (let i = 0; i < 62; i++) {
      const body = await api.enrolment(device, { type: 'token', token: 'none' });
      await refusedOnly('ERR_TOKEN_UNKNOWN', api.send(device, body, `192.0.2.${i}`));
    }
    const refusals = async () => (await api.actions('acme')).filter((action) => action.endsWith('refused'));
    expect(await refusals()).toHaveLength(60);
    expect(await api.context.metrics.exposition()).toContain(
      'tachograph_rate_limited_requests_total{limit="refusal"} 2',
    );
    api.now += 1000;
    const body = await api.enrolment(device, { type: 'token', token: 'none' });
    await refusedOnly('ERR_TOKEN_UNKNOWN', api.send(device, body));
    expect(await refusals()).toHaveLength(61);
  });

  it('counts a refusal once, however often its transaction is run because others came between (INV-12)', async () => {
    await api.close();
    api = await Api.open({}, rerun);
    await api.tenant('acme');
    for (let i = 0; i < 62; i++) {
      const body = await api.enrolment(device, { type: 'token', token: 'none' });
      await refusedOnly('ERR_TOKEN_UNKNOWN', api.send(device, body, `192.0.2.${i}`));
    }
    expect((await api.actions('acme')).filter((action) => action.endsWith('refused'))).toHaveLength(60);
    expect(await api.context.metrics.exposition()).toContain(
      'tachograph_rate_limited_requests_total{limit="refusal"} 2',
    );
  });
});

/** A refusal, which is also the newest event of the tenant's log. */
function refusedWith(code: string, pending: Promise<Reply>) {
  return refusedInLog(api, 'acme', code, pending);
}

async function refusedOnly(code: string, reply: Promise<Reply>): Promise<void> {
  expect(await reply).toMatchObject({ status: 403, body: { code } });
}
