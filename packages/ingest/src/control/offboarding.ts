import { z } from 'zod';
import { fromBase64Url, toBase64Url, utf8 } from '@tachograph/wire';
import type { ControlContext } from '../api-context.ts';
import { EXPOSURE_KINDS, REVOCATION_MARKS } from '../core/exposure.ts';
import { DEVICE_STATUSES } from '../enrolment/schemas.ts';
import { route, type Route } from '../http/route.ts';
import { isoOf, isoOrNull, tenantId, timestamp } from '../http/schemas.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import {
  devicesOfPerson,
  directivesOfPerson,
  endsOf,
  idOf,
  type DeviceEnd,
  type Person,
  type PersonDevice,
} from './offboarding-report.ts';
import { overflowsOfPerson, targetsOfPerson, type TargetKey } from './offboarding-targets.ts';
import { childrenQuery, subjectParam } from './revoke-routes.ts';
import { tenantsOf } from './revocation.ts';

const TARGETS_DEFAULT = 1_000;
const TARGETS_MAX = 10_000;
/** Devices in one answer; where there are more, those come first that are pending. */
const DEVICES_MAX = 1_000;
/** How long an answer waits for the index of exposures; where it is not there yet, the answer says so. */
const INDEX_WAIT_MS_MAX = 10_000;

const names = <Name extends string>(table: { readonly [N in Name]: number }) =>
  z.array(z.enum(Object.keys(table) as [Name, ...Name[]]));

const deviceAnswer = z.object({
  tenant: z.string(),
  device: z.string(),
  installation: z.string(),
  label: z.string().nullable(),
  platform: z.string().nullable(),
  status: z.enum(DEVICE_STATUSES),
  end: z.enum(['purged', 'lease_expired_unconfirmed', 'pending']),
  revokedAt: timestamp.nullable(),
  purgedAt: timestamp.nullable().meta({ description: 'when its own confirmation arrived' }),
  leaseBlocksAt: timestamp.nullable().meta({ description: 'when its app refuses the cache at the latest' }),
  leaseWipesAt: timestamp.nullable(),
  lastSeen: timestamp.nullable(),
  pending: z.int().nonnegative().nullable().meta({ description: 'leaves that it still held then' }),
  darkSince: timestamp.nullable(),
});

const targetAnswer = z.object({
  tenant: z.string(),
  type: z.string(),
  id: z.string(),
  name: z.string().nullable(),
  kinds: names(EXPOSURE_KINDS),
  firstAt: timestamp,
  lastAt: timestamp,
  devices: z.int().positive(),
  late: z.boolean().meta({ description: 'whether events of a device that was revoked already name it' }),
  revocation: names(REVOCATION_MARKS).meta({ description: 'where those stood to the revocation' }),
});

const report = z.object({
  tenant: z.string(),
  subject: z.string(),
  asOf: timestamp,
  done: z.boolean().meta({ description: 'no device is pending any more' }),
  devices: z
    .array(deviceAnswer)
    .meta({ description: `1,000 at most; where there are more, pending ones before others` }),
  devicesTotal: z.int().nonnegative().meta({ description: 'how many there are; `done` counts all of them' }),
  targets: z.array(targetAnswer).meta({ description: 'what the person revealed, exported or held' }),
  targetsComplete: z.boolean().meta({
    description:
      'whether the index holds all that was settled, none of which was gone before it was read, and no device had more than is kept',
  }),
  cursor: z.string().nullable().meta({ description: 'goes on with targets where this page ends' }),
});

const query = childrenQuery.extend({
  cursor: z.string().max(8192).optional(),
  limit: z.coerce.number().int().min(0).max(TARGETS_MAX).default(TARGETS_DEFAULT),
});

/** How far the offboarding of a person has come, and which secrets they know. */
export function offboardingRoutes(context: ControlContext): Route[] {
  const read = route({
    method: 'GET',
    path: '/admin/v1/tenants/{tenant}/subjects/{subject}/offboarding',
    operationId: 'getOffboarding',
    tag: 'control',
    summary:
      'Where the purge of each device of a person has ended, and what the person revealed, exported or held.',
    access: 'admin',
    params: z.object({ tenant: tenantId, subject: subjectParam }),
    query,
    answers: { 200: { description: 'The report, and a page of targets', schema: report } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant, subject }, query: { children, cursor, limit } }) => {
      const { registry, clock, exposures } = context;
      if ((await policyOf(registry.db, tenant)) === null) return { fault: UNKNOWN_TENANT };
      const after = cursor === undefined ? null : openCursor(cursor);
      if (cursor !== undefined && after === null) {
        return {
          fault: { code: 'ERR_REQUEST', detail: 'is no cursor of an earlier answer', field: 'cursor' },
        };
      }
      const person = { tenants: await tenantsOf(registry.db, { tenant, children }), subject };
      const isRead = await exposures.catchUp(AbortSignal.timeout(INDEX_WAIT_MS_MAX));
      const isIndexed = isRead && (await exposures.isWhole());
      const now = clock();
      const found = await reportOf(context, person, { after, limit }, now);
      const body = {
        tenant,
        subject,
        asOf: isoOf(now),
        ...found.body,
        targetsComplete: isIndexed && !found.isOverflowed,
      };
      return { status: 200, body };
    },
  });
  return [read];
}

async function reportOf(
  { registry: { db } }: ControlContext,
  person: Person,
  page: { readonly after: TargetKey | null; readonly limit: number },
  now: number,
) {
  const devices = await devicesOfPerson(db, person);
  const ends = endsOf(devices, await directivesOfPerson(db, person), now);
  const rows = await targetsOfPerson(db, person, page);
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return {
    isOverflowed: (await overflowsOfPerson(db, person)).length > 0,
    body: {
      done: [...ends.values()].every(({ end }) => end !== 'pending'),
      devices: shownOf(devices, ends).map((device) => toDevice(device, ends.get(idOf(device))!)),
      devicesTotal: devices.length,
      targets: shown.map(toTarget),
      cursor: last === undefined ? null : sealCursor(last),
    },
  };
}

function shownOf(
  devices: readonly PersonDevice[],
  ends: ReadonlyMap<string, DeviceEnd>,
): readonly PersonDevice[] {
  if (devices.length <= DEVICES_MAX) return devices;
  const isPending = (device: PersonDevice): boolean => ends.get(idOf(device))!.end === 'pending';
  const sorted = devices.toSorted((a, b) => Number(isPending(b)) - Number(isPending(a)));
  return sorted.slice(0, DEVICES_MAX);
}

function toDevice(row: PersonDevice, { end, purgedAt }: DeviceEnd): z.input<typeof deviceAnswer> {
  return {
    tenant: row.tenant,
    device: row.device,
    installation: row.installation,
    label: row.installation_label,
    platform: row.platform,
    status: row.status,
    end,
    revokedAt: isoOrNull(row.revoked_at),
    purgedAt: isoOrNull(purgedAt),
    leaseBlocksAt: isoOrNull(row.blocks_at),
    leaseWipesAt: isoOrNull(row.wipes_at),
    lastSeen: isoOrNull(row.received_at),
    pending: row.pending_count,
    darkSince: isoOrNull(row.dark_since),
  };
}

type TargetRow = Awaited<ReturnType<typeof targetsOfPerson>>[number];

function toTarget(row: TargetRow): z.input<typeof targetAnswer> {
  return {
    tenant: row.tenant,
    type: row.type,
    id: row.id,
    name: row.name,
    kinds: row.kinds,
    firstAt: isoOf(row.firstAt),
    lastAt: isoOf(row.lastAt),
    devices: row.devices,
    late: row.marks.length > 0,
    revocation: row.marks,
  };
}

const cursorSchema = z.tuple([z.string(), z.string(), z.string()]);

function sealCursor({ tenant, type, id }: TargetKey): string {
  return toBase64Url(utf8(JSON.stringify([tenant, type, id])));
}

function openCursor(cursor: string): TargetKey | null {
  const bytes = fromBase64Url(cursor);
  if (bytes === null) return null;
  try {
    const parsed = cursorSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? { tenant: parsed.data[0], type: parsed.data[1], id: parsed.data[2] } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
