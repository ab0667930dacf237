import type { Served } from './serve.ts';

/** Calls the control API with the administrator token of the test server. */
export async function admin(
  server: Served,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(`${server.url}/admin/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${server.adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** A token that enrols `uses` devices of `tenant`. */
export async function createEnrolmentToken(server: Served, tenant: string, uses = 1): Promise<string> {
  const answer = await admin(server, 'POST', `/tenants/${tenant}/enrolment-tokens`, {
    uses,
    expiresInSeconds: 3600,
  });
  return (answer as { token: string }).token;
}
