import type { Ingest } from '@tachograph/ingest';
import { z } from 'zod';

export const DEMO_TENANT = 'demo';
const TOKEN_SECONDS = 3600;
const HOUR_SECONDS = 3600;

/** So short that a reader can wait for its end: two minutes to read, and two more until the cache is destroyed. */
const DEMO_LEASE = { blockAfterHours: 120 / HOUR_SECONDS, wipeAfterHours: 240 / HOUR_SECONDS };

const created = z.looseObject({ token: z.string() });
const revoked = z.looseObject({ revokedAt: z.string() });
const devices = z.looseObject({ devices: z.array(z.unknown()) });

/** Calls the control API in this process as its administrator. The token never leaves it. */
export type ControlCall = (
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
) => Promise<{ readonly status: number; readonly json: () => unknown }>;

export function controlCall(app: Ingest['app'], adminToken: string): ControlCall {
  return async (method, path, body) => {
    const answer = await app.inject({
      method,
      url: `/admin/v1/tenants${path}`,
      headers: { authorization: `Bearer ${adminToken}` },
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: answer.statusCode, json: () => answer.json() };
  };
}

/**
 * Makes the tenant of the demo where it is missing, by way of the control API: what the demo may do is what that
 * API allows, and leaves the same trace. One that is there keeps its policy.
 */
export async function ensureDemoTenant(call: ControlCall): Promise<void> {
  const made = await call('POST', '', { id: DEMO_TENANT, name: 'Demo' });
  if (made.status === 409) return;
  if (made.status !== 201) throw refused('made', made.status);
  const policy = await call('PUT', `/${DEMO_TENANT}/policy`, { leases: { default: DEMO_LEASE } });
  if (policy.status !== 200) throw refused('given its policy', policy.status);
}

/** A token that lets one device of the demo in, within the hour. */
export async function demoEnrolmentToken(call: ControlCall): Promise<string> {
  const body = { uses: 1, expiresInSeconds: TOKEN_SECONDS };
  const answer = await call('POST', `/${DEMO_TENANT}/enrolment-tokens`, body);
  return created.parse(answer.json()).token;
}

/** Revokes a device of the demo and orders that its whole cache be destroyed; `null` where there is no such device. */
export async function revokeDemoDevice(call: ControlCall, device: string): Promise<string | null> {
  const body = { reason: 'Revoked in the demo', purge: ['*'] };
  const answer = await call('POST', `/${DEMO_TENANT}/devices/${encodeURIComponent(device)}/revoke`, body);
  return answer.status === 200 ? revoked.parse(answer.json()).revokedAt : null;
}

/** Whether the demo's vault still serves this device. */
export async function isDemoDeviceEnrolled(call: ControlCall, device: string): Promise<boolean> {
  const answer = await call(
    'GET',
    `/${DEMO_TENANT}/devices?status=enrolled&device=${encodeURIComponent(device)}`,
  );
  return devices.parse(answer.json()).devices.length > 0;
}

function refused(what: string, status: number): Error {
  return new Error(`the tenant ${DEMO_TENANT} could not be ${what}: the control API answered ${status}`);
}
