import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  deviceIdOf,
  noteKey,
  originOf,
  SIGNATURE_TYPE,
  type Authority,
  type TenantId,
} from '@tachograph/wire';
import { Api, AUTHORITY } from '../api-harness.ts';
import { TestDevice } from '../test-device.ts';

let api: Api;
beforeAll(async () => {
  api = await Api.open();
  await api.tenant('acme');
});
afterAll(() => api.close());

/** A "device" whose key is the curve's neutral point: one signature, known to everybody, verifies on any message. */
async function deviceOfEverybody(): Promise<TestDevice> {
  const publicKey = new Uint8Array(32);
  publicKey[0] = 1;
  const signature = new Uint8Array(64);
  signature[0] = 1;
  const honest = await TestDevice.create(AUTHORITY, 'acme');
  const device = deviceIdOf(publicKey);
  const origin = originOf(AUTHORITY as Authority, 'acme' as TenantId, device);
  const signer = {
    key: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey),
    sign: async () => signature,
  };
  return Object.assign(honest.clone(), { publicKey, device, origin, signer });
}

describe('a key in whose name anybody could sign', () => {
  it('is refused though its proof verifies, and takes no use of the token', async () => {
    const token = await api.enrolmentToken('acme');
    const weak = await deviceOfEverybody();
    const reply = await api.enrol(weak, token);
    expect(reply).toMatchObject({ status: 400, body: { code: 'ERR_REQUEST', field: 'publicKey.x' } });
    expect(await api.deviceRow(weak)).toBeUndefined();
    expect((await api.enrol(await TestDevice.create(AUTHORITY, 'acme'), token)).status).toBe(201);
  });
});
