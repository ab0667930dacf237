import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api, AUTHORITY, refusedInLog, type Reply } from '../api-harness.ts';
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

describe('the proof', () => {
  it('is refused with a challenge of an hour ago', async () => {
    const body = await api.enrolment(device, { type: 'token', token: await api.enrolmentToken('acme') });
    api.now += HOUR_MS;
    await refusedWith('ERR_CHALLENGE', api.send(device, body));
  });

  it.each(['of another tenant', 'that was made up', 'with one bit changed'])(
    'is refused with a challenge %s',
    async (which) => {
      const own = await api.challenge('acme');
      const flipped = Buffer.from(own, 'base64url');
      flipped[3]! ^= 1;
      const challenge = {
        'of another tenant': await api.challenge('other'),
        'that was made up': Buffer.alloc(56, 7).toString('base64url'),
        'with one bit changed': flipped.toString('base64url'),
      }[which]!;
      const token = await api.enrolmentToken('acme');
      await refusedWith('ERR_CHALLENGE', api.enrol(device, token, { statement: { challenge } }));
    },
  );

  it('is refused for another origin', async () => {
    const elsewhere = await TestDevice.create(AUTHORITY, 'other');
    const token = await api.enrolmentToken('acme');
    const reply = await api.enrol(device, token, { statement: { origin: elsewhere.origin } });
    expect(reply).toMatchObject({ status: 400, body: { code: 'ERR_ORIGIN_MISMATCH' } });
  });

  it('is refused for another credential', async () => {
    const token = await api.enrolmentToken('acme');
    const stolen = await api.enrolment(device, { type: 'token', token: 'what the device was given' });
    await refusedWith(
      'ERR_CREDENTIAL_MISMATCH',
      api.send(device, { ...stolen, credential: { type: 'token', token } }),
    );
  });

  it('is refused when another key has signed it', async () => {
    const thief = await TestDevice.create(AUTHORITY, 'acme');
    const token = await api.enrolmentToken('acme');
    await refusedWith('ERR_SIGNATURE', api.enrol(device, token, { signer: thief }));
  });

  it.each([
    ['a field that is missing', { proof: undefined }, 'proof'],
    ['a key that is none', { publicKey: { kty: 'OKP', crv: 'Ed25519', x: '*'.repeat(43) } }, 'publicKey.x'],
    ['a credential of an unknown kind', { credential: { type: 'oidc', idToken: 'x' } }, 'credential.type'],
    ['a label of two lines', { installation: { label: 'a\nb' } }, 'installation.label'],
  ])('is not looked at beside %s, whose field is named', async (_what, change, field) => {
    const token = await api.enrolmentToken('acme');
    const body = { ...(await api.enrolment(device, { type: 'token', token })), ...change };
    const before = await api.actions('acme');
    expect(await api.send(device, body)).toMatchObject({ status: 400, body: { code: 'ERR_REQUEST', field } });
    expect(await api.actions('acme')).toEqual(before);
  });

  it('is a note, or the request is malformed', async () => {
    const token = await api.enrolmentToken('acme');
    const body = { ...(await api.enrolment(device, { type: 'token', token })), proof: 'no note' };
    expect(await api.send(device, body)).toMatchObject({ status: 400, body: { code: 'ERR_NOTE' } });
  });
});

describe('a successor', () => {
  it('comes in quarantined, past network rules, with subject, installation and label', async () => {
    const old = await api.enrolled('acme', { subject: 'ana' });
    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { rules: [{ action: 'deny' }] } });
    const body = await api.enrolment(device, await api.succeed(old, device));
    expect(await api.send(device, body)).toMatchObject({ status: 201, body: { status: 'quarantined' } });
    expect(await api.deviceRow(device)).toMatchObject({
      subject: 'ana',
      installation: old.device,
      predecessor: old.device,
      succession: 'fork',
    });
    expect((await api.events('acme')).at(-1)).toMatchObject({
      action: 'device.enrolled',
      data: { method: 'predecessor', predecessor: old.device, reason: 'fork', status: 'quarantined' },
    });
  });

  it('keeps the installation of the first device over several steps', async () => {
    const first = await api.enrolled('acme');
    const second = await TestDevice.create(AUTHORITY, 'acme');
    await api.send(second, await api.enrolment(second, await api.succeed(first, second)));
    await api.send(device, await api.enrolment(device, await api.succeed(second, device)));
    expect(await api.deviceRow(device)).toMatchObject({ installation: first.device });
  });

  it('of a revoked device is revoked, and of a waiting one waits', async () => {
    const revoked = await api.enrolled('acme');
    await api.admin('POST', `/tenants/acme/devices/${revoked.device}/revoke`, { reason: 'left' });
    const body = await api.enrolment(device, await api.succeed(revoked, device));
    expect(await api.send(device, body)).toMatchObject({ status: 201, body: { status: 'revoked' } });
    expect(await api.deviceRow(device)).toMatchObject({ revoked_at: api.now, revocation_reason: 'left' });

    await api.admin('PUT', '/tenants/acme/policy', { enrolment: { approval: true } });
    const waiting = await api.enrolled('acme');
    const next = await TestDevice.create(AUTHORITY, 'acme');
    expect(await api.send(next, await api.enrolment(next, await api.succeed(waiting, next)))).toMatchObject({
      status: 201,
      body: { status: 'pending_approval' },
    });
  });

  it('is confirmed by an administrator', async () => {
    const old = await api.enrolled('acme');
    await api.send(device, await api.enrolment(device, await api.succeed(old, device)));
    const reply = await api.admin('POST', `/tenants/acme/devices/${device.device}/approve`);
    expect(reply).toMatchObject({ status: 200, body: { status: 'enrolled' } });
    expect((await api.actions('acme')).at(-1)).toBe('device.approved');
  });

  it('is refused unless a device of this tenant has signed for exactly it', async () => {
    const old = await api.enrolled('acme');
    const foreign = await api.enrolled('other');
    const unknown = await TestDevice.create(AUTHORITY, 'acme');
    const third = await TestDevice.create(AUTHORITY, 'acme');
    const attempts = [
      api.succeed(old, device, third),
      api.succeed(old, third),
      api.succeed(foreign, device),
      api.succeed(unknown, device),
    ];
    for (const attempt of attempts) {
      await refusedWith('ERR_SUCCESSION', api.send(device, await api.enrolment(device, await attempt)));
    }
    expect(await api.deviceRow(device)).toBeUndefined();
  });
});

/** A refusal, which is also the newest event of the tenant's log. */
function refusedWith(code: string, pending: Promise<Reply>) {
  return refusedInLog(api, 'acme', code, pending);
}
