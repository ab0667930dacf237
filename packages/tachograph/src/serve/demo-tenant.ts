import type { Ingest } from '@tachograph/ingest';
import { z } from 'zod';

export const DEMO_TENANT = 'demo';
const TOKEN_SECONDS = 3600;

const created = z.looseObject({ token: z.string() });

/**
 * Makes the tenant of the demo where it is missing, by way of the control API: what the demo may do is what that
 * API allows, and leaves the same trace.
 */
export async function ensureDemoTenant(app: Ingest['app'], adminToken: string): Promise<void> {
  const body = { id: DEMO_TENANT, name: 'Demo' };
  const { statusCode } = await call(app, adminToken, '/admin/v1/tenants', body);
  if (statusCode !== 201 && statusCode !== 409) {
    throw new Error(`the tenant ${DEMO_TENANT} could not be made: the control API answered ${statusCode}`);
  }
}

/** A token that lets one device of the demo in, within the hour. */
export async function demoEnrolmentToken(app: Ingest['app'], adminToken: string): Promise<string> {
  const path = `/admin/v1/tenants/${DEMO_TENANT}/enrolment-tokens`;
  const answer = await call(app, adminToken, path, { uses: 1, expiresInSeconds: TOKEN_SECONDS });
  return created.parse(answer.json()).token;
}

function call(app: Ingest['app'], adminToken: string, url: string, payload: object) {
  return app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${adminToken}` } });
}
