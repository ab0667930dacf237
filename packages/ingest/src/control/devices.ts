import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { DEVICE_STATUSES } from '../enrolment/schemas.ts';
import { route, type Route } from '../http/route.ts';
import { deviceId, isoOf, isoOrNull, line, tenantId, timestamp } from '../http/schemas.ts';
import type { Db } from '../registry/registry.ts';
import { ownLogsOf, policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;

const query = z.object({
  status: z.enum(DEVICE_STATUSES).optional(),
  subject: line(256).optional(),
  device: deviceId.optional(),
  cursor: deviceId.optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
});

const deviceAnswer = z.object({
  device: z.string(),
  installation: z.string(),
  label: z.string().nullable(),
  platform: z.string().nullable(),
  subject: z.string().nullable(),
  status: z.enum(DEVICE_STATUSES),
  predecessor: z.string().nullable(),
  enrolledAt: timestamp,
  revokedAt: timestamp.nullable(),
  revocationReason: z.string().nullable(),
  size: z.int().nonnegative().meta({ description: 'leaves accepted from it' }),
  lastSeen: timestamp.nullable(),
  pending: z.int().nonnegative().nullable().meta({ description: 'leaves that it still held then' }),
  oldestPending: timestamp.nullable(),
  darkSince: timestamp.nullable().meta({ description: 'silent beyond its habit or its lease since then' }),
  clockOffsetMs: z.number().nullable().meta({ description: 'its wall clock − ours' }),
});

/** What a tenant's devices are, and what each still holds. The tenant's own log is none of them. */
export function deviceListRoutes({ registry }: ApiContext): Route[] {
  const list = route({
    method: 'GET',
    path: '/admin/v1/tenants/{tenant}/devices',
    operationId: 'listDevices',
    tag: 'control',
    summary: 'The devices of a tenant, a page at a time.',
    access: 'admin',
    params: z.object({ tenant: tenantId }),
    query,
    answers: {
      200: {
        description: 'Devices; `cursor` goes on where this page ends, and is null at the end',
        schema: z.object({ devices: z.array(deviceAnswer), cursor: z.string().nullable() }),
      },
    },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant }, query: page }) => {
      if ((await policyOf(registry.db, tenant)) === null) return { fault: UNKNOWN_TENANT };
      const rows = await selectDevices(registry.db, tenant, page);
      const shown = rows.slice(0, page.limit);
      const cursor = rows.length > page.limit ? (shown.at(-1)?.device ?? null) : null;
      return { status: 200, body: { devices: shown.map(toAnswer), cursor } };
    },
  });
  return [list];
}

type DeviceRow = Awaited<ReturnType<typeof selectDevices>>[number];

/** One row more than the page, to know whether there are more. */
async function selectDevices(db: Db, tenant: string, page: z.output<typeof query>) {
  const { status, subject, device, cursor, limit } = page;
  return db
    .selectFrom('devices')
    .leftJoin('heads', (join) =>
      join.onRef('heads.tenant', '=', 'devices.tenant').onRef('heads.device', '=', 'devices.device'),
    )
    .leftJoin('sightings', (join) =>
      join.onRef('sightings.tenant', '=', 'devices.tenant').onRef('sightings.device', '=', 'devices.device'),
    )
    .selectAll('devices')
    .select([
      'heads.size',
      'sightings.received_at',
      'sightings.pending_count',
      'sightings.oldest_pending_at',
      'sightings.clock_offset_ms',
      'sightings.dark_since',
    ])
    .where('devices.tenant', '=', tenant)
    .where('devices.installation', 'not in', ownLogsOf(db, tenant))
    .$if(status !== undefined, (all) => all.where('devices.status', '=', status!))
    .$if(subject !== undefined, (all) => all.where('devices.subject', '=', subject!))
    .$if(device !== undefined, (all) => all.where('devices.device', '=', device!))
    .$if(cursor !== undefined, (all) => all.where('devices.device', '>', cursor!))
    .orderBy('devices.device')
    .limit(limit + 1)
    .execute();
}

function toAnswer(row: DeviceRow): z.input<typeof deviceAnswer> {
  return {
    device: row.device,
    installation: row.installation,
    label: row.installation_label,
    platform: row.platform,
    subject: row.subject,
    status: row.status,
    predecessor: row.predecessor,
    enrolledAt: isoOf(row.enrolled_at),
    revokedAt: isoOrNull(row.revoked_at),
    revocationReason: row.revocation_reason,
    size: row.size ?? 0,
    lastSeen: isoOrNull(row.received_at),
    pending: row.pending_count,
    oldestPending: isoOrNull(row.oldest_pending_at),
    darkSince: isoOrNull(row.dark_since),
    clockOffsetMs: row.clock_offset_ms,
  };
}
