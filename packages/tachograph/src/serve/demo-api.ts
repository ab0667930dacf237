import type { Ingest } from '@tachograph/ingest';
import { readExportTail } from '@tachograph/siem-export';
import { z } from 'zod';
import {
  demoEnrolmentToken,
  isDemoDeviceEnrolled,
  revokeDemoDevice,
  type ControlCall,
} from './demo-tenant.ts';
import { DEMO_VAULTS } from './demo-vault.ts';

export type DemoApiOptions = {
  readonly authority: string;
  readonly tenant: string;
  readonly directiveKey: string;
  readonly exportDir: string;
  readonly call: ControlCall;
};

const LINES_MAX = 200;
/** An RFC 7638 thumbprint, as devices are named. */
const deviceBody = z.object({ device: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });

/**
 * What the demo's page asks beside the device API: whom it writes to (`config`), a token that lets this browser in, the
 * items of the vault, the end of the feed, and, in the administrator's place, to revoke a device. All of it is of the demo's own tenant;
 * whoever reaches it may do it, which is why the demo is for this machine only.
 */
export function addDemoApi(scope: Ingest['app'], options: DemoApiOptions): void {
  const { authority, tenant, directiveKey, exportDir, call } = options;
  scope.get('/demo/api/config', async () => ({ authority, tenant, directiveKey }));
  scope.get('/demo/api/export', async () => {
    const lines = await readExportTail(exportDir, Number.MAX_SAFE_INTEGER);
    return { lines: linesOf(tenant, lines).slice(-LINES_MAX) };
  });
  // Apart from the configuration, which every page load asks for: only who is not enrolled makes a token.
  scope.post('/demo/api/enrolment-token', async () => ({ token: await demoEnrolmentToken(call) }));
  // An app's own back end asks for a sign-in; this one has none, and serves devices that are not revoked.
  scope.post('/demo/api/vault', async (request, reply) => {
    const body = deviceBody.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ detail: 'device: expected its thumbprint' });
    if (!(await isDemoDeviceEnrolled(call, body.data.device)))
      return reply.code(403).send({ detail: 'not an enrolled device of the demo' });
    return { vaults: DEMO_VAULTS };
  });
  scope.post('/demo/api/revoke', async (request, reply) => {
    const body = deviceBody.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ detail: 'device: expected its thumbprint' });
    const revokedAt = await revokeDemoDevice(call, body.data.device);
    return revokedAt === null ? reply.code(404).send({ detail: 'no such device' }) : { revokedAt };
  });
}

const exported = z.object({ tenant: z.string() });

/** Of a feed of all tenants the CloudEvents lines of one. A feed in another format has none to show. */
export function linesOf(tenant: string, lines: readonly string[]): string[] {
  return lines.filter((line) => {
    try {
      return exported.safeParse(JSON.parse(line)).data?.tenant === tenant;
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  });
}
