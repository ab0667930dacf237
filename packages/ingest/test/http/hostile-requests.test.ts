import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADMIN_TOKEN, Api } from '../api-harness.ts';

let api: Api;
let url: string;
beforeAll(async () => {
  api = await Api.open();
  await api.tenant('acme');
  url = new URL(api.app.listeningOrigin).origin;
});
afterAll(() => api.close());

const nested = (depth: number): string => '{"credential":'.repeat(depth) + '1' + '}'.repeat(depth);

type Init = { method?: string; body?: string; headers?: { [name: string]: string } };

/** The code of the answer, in which nothing of what was sent may stand. */
async function codeOf(path: string, init: Init = {}): Promise<string> {
  const headers = {
    authorization: `Bearer ${ADMIN_TOKEN}`,
    'content-type': 'application/json',
    ...init.headers,
  };
  const reply = await fetch(`${url}${path}`, { ...init, headers });
  const text = await reply.text();
  expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(text).not.toContain('evil');
  return (JSON.parse(text) as { code: string }).code;
}

describe('a hostile request', () => {
  it.each([
    ['a prototype', '{"__proto__":{"evil":1}}'],
    ['a prototype by way of its constructor', '{"constructor":{"prototype":{"evil":1}}}'],
    ['objects 10,000 deep', nested(10_000)],
    ['arrays 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['half of a JSON text', '{"evil":'],
    ['null', 'null'],
    ['nothing', ''],
    ['an infinite number', '{"uses":1e400,"expiresInSeconds":60}'],
  ])('whose JSON is %s is invalid on every route that takes JSON (INV-14)', async (_what, body) => {
    for (const path of [
      '/v1/enrolment/acme',
      '/admin/v1/tenants',
      '/admin/v1/tenants/acme/enrolment-tokens',
      '/admin/v1/admin-tokens',
    ]) {
      expect([path, await codeOf(path, { method: 'POST', body })]).toEqual([path, 'ERR_REQUEST']);
    }
  });

  it('that is larger than any of ours is too large (INV-14)', async () => {
    const body = JSON.stringify({ evil: 'x'.repeat(300_000) });
    expect(await codeOf('/v1/enrolment/acme', { method: 'POST', body })).toBe('ERR_BODY_TOO_LARGE');
  });

  it.each([
    ['/admin/v1/tenants/..%2f..%2fevil/devices', 'ERR_NAME'],
    ['/admin/v1/tenants/evil%00/devices', 'ERR_NAME'],
    ['/admin/v1/tenants/evil%0d%0aset-cookie:%20a=b/devices', 'ERR_NAME'],
    ['/admin/v1/tenants/__proto__/devices', 'ERR_NAME'],
    ['/admin/v1/tenants/%zz/devices', 'ERR_REQUEST'],
    [`/admin/v1/tenants/${'evil'.repeat(100)}/devices`, 'ERR_NOT_FOUND'],
    ['//admin/v1/tenants', 'ERR_NOT_FOUND'],
    ['/admin/v1/tenants/', 'ERR_NOT_FOUND'],
    ["/admin/v1/tenants/acme/devices?cursor=evil'%20OR%201=1", 'ERR_REQUEST'],
    ['/admin/v1/tenants/acme/devices?limit=1&limit=2', 'ERR_REQUEST'],
    ['/admin/v1/tenants/acme/devices?status=enrolled&status=revoked', 'ERR_REQUEST'],
  ])('for %s gets %s', async (path, code) => {
    expect(await codeOf(path)).toBe(code);
  });

  it.each([
    '',
    'Bearer',
    'Bearer  ',
    'Basic ZXZpbDpldmls',
    `Bearer ${ADMIN_TOKEN}x`,
    `Bearer x ${ADMIN_TOKEN}`,
  ])('with the authorization "%s" is not signed in', async (authorization) => {
    expect(await codeOf('/admin/v1/tenants', { headers: { authorization } })).toBe('ERR_UNAUTHENTICATED');
  });
});
