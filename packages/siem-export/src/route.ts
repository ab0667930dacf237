import { ACTION_PATTERN } from '@tachograph/wire';
import { z } from 'zod';
import { FORMAT_NAMES } from './formats/registry.ts';
import { fileStem } from './sinks/file.ts';
import { SINKS } from './sinks/registry.ts';
import type { Sink } from './sinks/sink.ts';
import { timePolicy } from './time-policy.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, '1 to 63 of a-z, 0-9 and -');
export const tenantId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a tenant');

/** The sink's settings, checked by the sink's own schema. */
function sinkSchema(sinks: readonly Sink[]) {
  return z.looseObject({ type: z.string() }).transform((value, context) => {
    const found = sinks.find(({ type }) => type === value.type);
    if (found === undefined) {
      const known = sinks.map(({ type }) => type).join(', ');
      context.issues.push({ code: 'custom', message: `unknown sink; there is ${known}`, input: value });
      return z.NEVER;
    }
    const parsed = found.config.safeParse(value);
    if (parsed.success) return parsed.data as { readonly type: string };
    for (const { path, message } of parsed.error.issues) {
      context.issues.push({ code: 'custom', message, path, input: value });
    }
    return z.NEVER;
  });
}

/** Which tenants' events go where, and in which form. */
export function routeSchema(sinks: readonly Sink[]) {
  return z.strictObject({
    /** Its positions stand under it: a route that is renamed starts anew. */
    name,
    tenants: z.union([z.literal('*'), z.array(tenantId).min(1)]),
    /** Only these, where given. `tachograph.rejected` stands for entries that are no valid event. */
    actions: z.array(z.string().regex(ACTION_PATTERN)).min(1).optional(),
    format: z.enum(FORMAT_NAMES),
    time: timePolicy.default('occurred'),
    /** Where a new route begins: with the oldest event that the log has, or with the next one. */
    start: z.enum(['oldest', 'now']).default('oldest'),
    /** Milliseconds for which a few events wait for more, so that a destination is not asked for each. */
    batchAgeMs: z.int().nonnegative().max(60_000).default(50),
    sink: sinkSchema(sinks),
    /** The file for what this route could not deliver: `<stem>.ndjson`. */
    deadLetters: fileStem.optional(),
  });
}

type RouteSchema = ReturnType<typeof routeSchema>;
export type Route = z.infer<RouteSchema>;
/** A route as it is written down, before defaults. */
export type RouteInput = z.input<RouteSchema>;

/**
 * All routes of an exporter: no two may share a name or write to one file.
 *
 * @throws ZodError naming every problem
 */
export function parseRoutes(input: unknown, sinks: readonly Sink[] = SINKS): Route[] {
  return z.array(routeSchema(sinks)).superRefine(refuseSharing).parse(input);
}

function refuseSharing(routes: readonly Route[], context: z.RefinementCtx): void {
  const taken = new Map<string, string>();
  for (const [i, route] of routes.entries()) {
    for (const claim of claimsOf(route)) {
      const owner = taken.get(claim);
      if (owner !== undefined) {
        context.addIssue({ code: 'custom', message: `${claim} is taken by ${owner}`, path: [i] });
      }
      taken.set(claim, `route ${i + 1}`);
    }
  }
}

/** The one route of a server that was given none: every tenant, to `events.ndjson` and `dead-letters.ndjson`. */
export const DEFAULT_ROUTE: RouteInput = {
  name: 'events',
  tenants: '*',
  format: 'cloudevents',
  sink: { type: 'file', stem: 'events' },
  deadLetters: 'dead-letters',
};

export function deadLettersStem(route: Pick<Route, 'name' | 'deadLetters'>): string {
  return route.deadLetters ?? `dead-letters-${route.name}`;
}

/** What a route has to itself, in words: its name and its files. */
export function claimsOf(route: Route): string[] {
  const stem = 'stem' in route.sink && typeof route.sink.stem === 'string' ? [route.sink.stem] : [];
  const files = [...stem, deadLettersStem(route)].map((file) => `the file ${file}.ndjson`);
  return [`the name ${route.name}`, ...files];
}
