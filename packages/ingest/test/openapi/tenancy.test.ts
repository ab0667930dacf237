import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENROLMENT_NOTE, signStatement, SUCCESSION_NOTE, toBase64Url } from '@tachograph/wire';
import { z } from 'zod';
import { AUTHORITY, Harness, type Node } from '../harness.ts';
import { TestDevice } from '../test-device.ts';

// A provider with two customers, and somebody else. Who attacks `customer` has everything that is not the customer's.
let harness: Harness;
let node: Node;
let device: TestDevice;
let sibling: TestDevice;
let outsider: TestDevice;
const tokens: { [name: string]: string } = {};

const operations = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ operationId: z.string(), security: z.array(z.unknown()) })),
  ),
});
type Operation = { method: string; path: string; id: string; isForAdministrators: boolean };
let walked: Operation[];

async function created(path: string, body: object): Promise<{ readonly [name: string]: unknown }> {
  const reply = await node.admin('POST', path, body);
  if (reply.status !== 201) throw new Error(JSON.stringify(reply.body));
  return reply.body;
}

async function enrolled(tenant: string): Promise<TestDevice> {
  const made = await TestDevice.create(AUTHORITY, tenant);
  await harness.enrol(node, made, { tenant, subject: 'ana' });
  made.record(2);
  await node.send(made, 0);
  return made;
}

beforeAll(async () => {
  harness = await Harness.create();
  node = await harness.node();
  await created('/tenants', { id: 'provider', name: 'Provider' });
  await created('/tenants', { id: 'customer', name: 'Customer', parent: 'provider' });
  await created('/tenants', { id: 'sibling', name: 'Sibling', parent: 'provider' });
  await created('/tenants', { id: 'outsider', name: 'Outsider' });
  [device, sibling, outsider] = [
    await enrolled('customer'),
    await enrolled('sibling'),
    await enrolled('outsider'),
  ];
  for (const tenant of ['provider', 'customer', 'sibling', 'outsider']) {
    tokens[tenant] = String((await created('/admin-tokens', { tenant }))['token']);
    const token = await created(`/tenants/${tenant}/enrolment-tokens`, { uses: 9, expiresInSeconds: 3600 });
    tokens[`enrol at ${tenant}`] = String(token['token']);
  }
  const revoked = await created('/admin-tokens', { tenant: 'customer' });
  expect((await node.admin('DELETE', `/admin-tokens/${String(revoked['id'])}`)).status).toBe(200);
  tokens['revoked'] = String(revoked['token']);
  tokens['expired'] = String(
    (await created('/admin-tokens', { tenant: 'customer', expiresInSeconds: 60 }))['token'],
  );
  harness.now += 61_000;
  const document = operations.parse(await (await fetch(`${node.url}/openapi.json`)).json());
  walked = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security }]) => ({
      method: method.toUpperCase(),
      path,
      id: operationId,
      isForAdministrators: security.length > 0,
    })),
  );
});
afterAll(() => harness.close());

/** Bodies with which the right credential gets on. */
const BODIES: { readonly [operation: string]: object } = {
  createTenant: { id: 'another', name: 'Another', parent: 'provider' },
  putPolicy: {},
  testPolicy: { address: '10.0.0.1' },
  createEnrolmentToken: { uses: 1, expiresInSeconds: 60 },
  revokeDevice: { reason: 'x' },
  revokeSubject: { reason: 'x' },
  revokeTenant: { reason: 'x' },
  createAdminToken: { tenant: 'customer' },
};

async function call(
  { method, path, id }: Operation,
  token: string | null,
  tenant = 'customer',
): Promise<{ status: number; text: string }> {
  const url = path
    .replace('{tenant}', tenant)
    .replace('{device}', device.device)
    .replace('{subject}', 'ana')
    .replace('{id}', randomUUID());
  const body = BODIES[id];
  const reply = await fetch(`${node.url}${url}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: reply.status, text: await reply.text() };
}

/** All that the registry holds of a tenant, but for what waits to be written to its log. */
async function stateOf(tenant: string): Promise<string> {
  const { db } = node.registry;
  const rows = await Promise.all([
    db.selectFrom('tenants').selectAll().where('id', '=', tenant).execute(),
    db.selectFrom('devices').selectAll().where('tenant', '=', tenant).execute(),
    db.selectFrom('directives').selectAll().where('tenant', '=', tenant).execute(),
    db.selectFrom('enrolment_tokens').selectAll().where('tenant', '=', tenant).execute(),
    db.selectFrom('admin_tokens').selectAll().where('tenant', '=', tenant).execute(),
    db.selectFrom('heads').select(['device', 'size']).where('tenant', '=', tenant).execute(),
  ]);
  return JSON.stringify(rows);
}

function ofAdministrators(): Operation[] {
  return walked.filter(({ isForAdministrators }) => isForAdministrators);
}

describe('every operation of the control API (INV-17)', () => {
  it('is there to be walked', () => {
    expect(ofAdministrators().length).toBeGreaterThan(15);
    expect(
      ofAdministrators()
        .filter(({ path }) => !path.includes('{tenant}'))
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['createAdminToken', 'createTenant', 'deleteAdminToken', 'listTenants']);
  });

  it('turns away who has no good token: none, an invented, a revoked, an expired one, one of another kind', async () => {
    const before = await stateOf('customer');
    const { leaves } = device;
    const bad = [
      null,
      'x',
      tokens['revoked']!,
      tokens['expired']!,
      tokens['enrol at customer']!,
      toBase64Url(leaves[0]!).slice(0, 200),
    ];
    for (const operation of ofAdministrators()) {
      for (const token of bad) {
        const { status, text } = await call(operation, token);
        expect([operation.id, status, text.includes('ERR_UNAUTHENTICATED')]).toEqual([
          operation.id,
          401,
          true,
        ]);
      }
    }
    expect(await stateOf('customer')).toBe(before);
  });

  it('turns away every other tenant’s token, with what it says of the tenant being nothing', async () => {
    const before = await stateOf('customer');
    const provider = await stateOf('provider');
    for (const operation of ofAdministrators().filter(({ path }) => path.includes('{tenant}'))) {
      for (const [who, tenant] of [
        ['sibling', 'customer'],
        ['outsider', 'customer'],
        ['customer', 'provider'],
        ['outsider', 'nobody'],
      ] as const) {
        const { status, text } = await call(operation, tokens[who]!, tenant);
        expect([operation.id, who, status]).toEqual([operation.id, who, 403]);
        expect(text).not.toMatch(/Customer|Provider|ana/);
      }
    }
    expect(await stateOf('customer')).toBe(before);
    expect(await stateOf('provider')).toBe(provider);
  });

  it('that names no tenant shows and does nothing of others', async () => {
    const byId = new Map(walked.map((operation) => [operation.id, operation]));
    for (const who of ['provider', 'customer', 'sibling', 'outsider']) {
      for (const id of ['createAdminToken', 'deleteAdminToken']) {
        expect([id, (await call(byId.get(id)!, tokens[who]!)).status]).toEqual([id, 403]);
      }
    }
    for (const who of ['customer', 'sibling', 'outsider']) {
      expect((await call(byId.get('createTenant')!, tokens[who]!)).status).toBe(403);
      const { text } = await call(byId.get('listTenants')!, tokens[who]!);
      const { tenants } = JSON.parse(text) as { tenants: { id: string }[] };
      expect(tenants.map(({ id }) => id)).toEqual([who]);
    }
  });

  it('lets the provider in, and the tenant itself: what is refused above is refused for the credential alone', async () => {
    // Last, since it does what it says.
    const order = (operation: Operation) => (operation.id === 'revokeTenant' ? 1 : 0);
    for (const operation of ofAdministrators().toSorted((a, b) => order(a) - order(b))) {
      if (!operation.path.includes('{tenant}')) continue;
      for (const who of ['provider', 'customer']) {
        const { status } = await call(operation, tokens[who]!);
        expect([operation.id, who, status < 400]).toEqual([operation.id, who, true]);
      }
    }
  });
});

describe('every operation of devices (INV-17)', () => {
  it('is among those that are tried here', () => {
    const rest = walked.filter(({ isForAdministrators }) => !isForAdministrators).map(({ id }) => id);
    expect(rest.toSorted()).toEqual([
      'append',
      'enrol',
      'getEnrolment',
      'getKeys',
      'getLivez',
      'getMetrics',
      'getOpenapi',
      'getReadyz',
      'restore',
    ]);
  });

  it('takes no append that the device of another tenant has signed, wherever it is sent', async () => {
    const foreign = await outsider.append(0);
    expect(await node.post(device.path, foreign)).toMatchObject({
      status: 400,
      body: { code: 'ERR_ORIGIN_MISMATCH' },
    });
    const imagined = `/v1/logs/customer/${outsider.device}`;
    expect((await node.post(imagined, foreign)).body.code).toBe('ERR_ORIGIN_MISMATCH');
    // The same key, with a checkpoint for the other tenant.
    const copy = Object.assign(await TestDevice.create(AUTHORITY, 'customer'), { tenant: 'customer' });
    expect(await node.post(copy.path, await copy.append(0))).toMatchObject({
      status: 404,
      body: { code: 'ERR_UNKNOWN_DEVICE' },
    });
  });

  it('restores nothing from a receipt of another tenant', async () => {
    const { receipt } = (await node.send(sibling, 2, 2)).body;
    const body = await sibling.restore(2, receipt!);
    const reply = await node.post(`${device.path}/restore`, JSON.stringify(body), 'application/json');
    expect(reply).toMatchObject({ status: 422, body: { code: 'ERR_RESTORE' } });
  });

  it('enrols nobody by a token, a challenge or a succession of another tenant', async () => {
    const enrol = async (
      sent: { type: 'token'; token: string } | { type: 'predecessor'; succession: string },
      challengeOf: string,
      newcomer: TestDevice,
    ) => {
      const { challenge } = (await (await fetch(`${node.url}/v1/enrolment/${challengeOf}`)).json()) as {
        challenge: string;
      };
      const credential = sent.type === 'token' ? sent.token : sent.succession;
      const credentialHash = createHash('sha256').update(credential).digest('hex');
      const statement = { origin: newcomer.origin, challenge, credentialHash };
      const proof = await signStatement(ENROLMENT_NOTE, statement, newcomer.signer);
      const publicKey = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(newcomer.publicKey) };
      const body = JSON.stringify({ publicKey, proof, credential: sent });
      return node.post(`/v1/enrolment/${newcomer.tenant}`, body, 'application/json');
    };
    const newcomer = await TestDevice.create(AUTHORITY, 'sibling');
    const theirs = { type: 'token', token: tokens['enrol at outsider']! } as const;
    const own = { type: 'token', token: tokens['enrol at sibling']! } as const;
    expect((await enrol(theirs, 'sibling', newcomer)).body.code).toBe('ERR_TOKEN_UNKNOWN');
    expect((await enrol(own, 'outsider', newcomer)).body.code).toBe('ERR_CHALLENGE');
    const succession = await signStatement(
      SUCCESSION_NOTE,
      { oldOrigin: outsider.origin, newOrigin: newcomer.origin, reason: 'fork' as const },
      outsider.signer,
    );
    expect((await enrol({ type: 'predecessor', succession }, 'sibling', newcomer)).body.code).toBe(
      'ERR_SUCCESSION',
    );
    expect((await enrol(own, 'sibling', newcomer)).status).toBe(201);
  });

  it('says nothing of tenants or devices in figures that everybody can read', async () => {
    const figures = await (await fetch(`${node.url}/metrics`)).text();
    for (const name of ['customer', 'sibling', 'outsider', String(device.device)]) {
      expect(figures.includes(name)).toBe(false);
    }
  });
});

describe('a tenant that is made while the server runs', () => {
  it('serves at once on every node, and so do its policy and its tokens', async () => {
    const other = await harness.node();
    await created('/tenants', { id: 'fresh', name: 'Fresh' });
    expect((await fetch(`${other.url}/v1/enrolment/fresh`)).status).toBe(200);
    await node.admin('PUT', '/tenants/fresh/policy', { enrolment: { methods: ['token'] } });
    expect(await (await fetch(`${other.url}/v1/enrolment/fresh`)).json()).toMatchObject({
      methods: ['token'],
    });
    const { token } = await created('/admin-tokens', { tenant: 'fresh' });
    const reply = await other.admin('GET', '/tenants/fresh/devices', undefined, String(token));
    expect(reply).toMatchObject({ status: 200, body: { devices: [] } });
  });
});
