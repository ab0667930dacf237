import { ENROLMENT_NOTE, publicJwk, sha256, signStatement, toHex, utf8, type Bytes } from '@tachograph/wire';
import { TestDevice } from '../../packages/ingest/test/test-device.ts';
import { createEnrolmentToken } from './admin.ts';
import type { Served } from './serve.ts';

export { TestDevice, testLeaf } from '../../packages/ingest/test/test-device.ts';

/** What came back over HTTP, whole. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly [name: string]: unknown };
};

type SentHeaders = { readonly [name: string]: string };

/** Makes a device and enrols it over HTTP, as any client that was written from the protocol alone would. */
export async function enrolDevice(server: Served, tenant: string): Promise<TestDevice> {
  return enrolDeviceWith(server, tenant, await createEnrolmentToken(server, tenant));
}

/** The same with a token that is there: an ingest node alone makes none. */
export async function enrolDeviceWith(server: Served, tenant: string, token: string): Promise<TestDevice> {
  const device = await TestDevice.create('localhost', tenant);
  const answer = await enrolWith(server, device, token);
  if (answer.status !== 201)
    throw new Error(`enrolment answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return device;
}

/** Tries to enrol a device with a token. `headers` go with both requests, as a proxy adds them. */
export async function enrolWith(
  server: Served,
  device: TestDevice,
  token: string,
  headers: SentHeaders = {},
): Promise<Answer> {
  const address = `${server.url}/v1/enrolment/${device.tenant}`;
  const { challenge } = (await (await fetch(address, { headers })).json()) as { challenge: string };
  const credentialHash = toHex(sha256(utf8(token)));
  const proof = await signStatement(
    ENROLMENT_NOTE,
    { origin: device.origin, challenge, credentialHash },
    device.signer,
  );
  const body = { publicKey: publicJwk(device.publicKey), proof, credential: { type: 'token', token } };
  return post(address, JSON.stringify(body), { ...headers, 'content-type': 'application/json' });
}

/** Posts to an address; the answer must be JSON of some kind. */
export async function post(
  url: string,
  body: Bytes | string,
  headers: SentHeaders = { 'content-type': 'text/plain' },
): Promise<Answer> {
  const reply = await fetch(url, { method: 'POST', body, headers });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: JSON.parse(text) as Answer['body'] };
}

/** Sends the leaves of `device` from `old` on. */
export async function sendLeaves(server: Served, device: TestDevice, old: number): Promise<Answer> {
  return post(`${server.url}${device.path}`, await device.append(old));
}
