import { z } from 'zod';
import { routeSchema, tenantId } from '../route.ts';
import type { Sink } from '../sinks/sink.ts';

type Member = keyof ReturnType<typeof routeSchema>['shape'] | 'eachChildOf';

/** What each member of a written route means: in editors, and in docs/ROUTES.md. */
export const MEMBER_MEANINGS = {
  name: 'Names the route, and how far it has read. A route that is renamed begins anew.',
  tenants:
    'Whose events: "*" is every tenant; or a list of tenants; or childrenOf: a provider, for all of its customers.',
  eachChildOf:
    'Instead of tenants: one route for each customer of this provider; {tenant} stands for the customer in name, sink and deadLetters.',
  actions: 'Only these actions. Without it, all. Alarms about a log are never left out.',
  format: 'How an event is written; docs/FIELDS.md has the fields of each.',
  time: "What stands in the destination's own time field: occurred, received, or auto: occurred until it is older than the destination accepts.",
  start: 'Where a new route begins: oldest is the oldest event that the log has, now the next one.',
  batchAgeMs:
    'Milliseconds for which a few events wait for more, so that the destination is not asked for each.',
  sink: 'The destination: its type, and what that takes.',
  deadLetters:
    'The file for what the destination will never take: <deadLetters>.ndjson in the export folder.',
} as const satisfies { readonly [name in Member]: string };

const childrenOf = z.strictObject({ childrenOf: tenantId });

/**
 * The members of a route as it is written down: those of a route, and tenants by their provider. What a sink takes
 * is `sink`'s to say.
 */
export function writtenMembers<S extends z.ZodType>(sinks: readonly Sink[], sink: S) {
  const { name, tenants, sink: _, deadLetters, ...more } = routeSchema(sinks).shape;
  return {
    name,
    tenants: z.union([tenants, childrenOf]).optional(),
    eachChildOf: tenantId.optional(),
    ...more,
    sink,
    deadLetters,
  };
}
