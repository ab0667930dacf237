import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { route, type Route } from '../http/route.ts';
import { deviceId, isoOf, tenantId, timestamp } from '../http/schemas.ts';
import { findManagedDevice } from './find-device.ts';

const differing = z.array(
  z.object({ index: z.int(), accepted: z.string(), submitted: z.string(), leaf: z.string() }),
);

const forkAnswer = z.object({
  id: z.string().meta({ description: 'id of the log.forked event, the same for whoever detects it' }),
  index: z.int().nonnegative().meta({ description: 'first index at which the histories differ' }),
  acceptedCheckpoint: z.string(),
  submittedCheckpoint: z.string(),
  differing: differing.meta({
    description: 'leaf hashes, and the leaf that was not accepted, in base64',
  }),
  detectedAt: timestamp,
});

/** Evidence that a device's key signed two histories. */
export function forkRoutes({ registry }: ApiContext): Route[] {
  const list = route({
    method: 'GET',
    path: '/admin/v1/tenants/{tenant}/devices/{device}/forks',
    operationId: 'listForks',
    tag: 'control',
    summary: 'The evidence that a device has shown two histories: both signed checkpoints.',
    access: 'admin',
    params: z.object({ tenant: tenantId, device: deviceId }),
    answers: {
      200: { description: 'Forks, oldest first', schema: z.object({ forks: z.array(forkAnswer) }) },
    },
    errors: ['ERR_UNKNOWN_TENANT', 'ERR_UNKNOWN_DEVICE'],
    handle: async ({ params: { tenant, device } }) => {
      const found = await findManagedDevice(registry.db, { tenant, device });
      if (!found.ok) return { fault: found.fault };
      const rows = await registry.db
        .selectFrom('forks')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('device', '=', device)
        .orderBy('detected_at')
        .execute();
      const forks = rows.map((row) => ({
        id: row.id,
        index: row.leaf_index,
        acceptedCheckpoint: row.accepted_checkpoint,
        submittedCheckpoint: row.submitted_checkpoint,
        differing: differing.parse(JSON.parse(row.differing)),
        detectedAt: isoOf(row.detected_at),
      }));
      return { status: 200, body: { forks } };
    },
  });
  return [list];
}
