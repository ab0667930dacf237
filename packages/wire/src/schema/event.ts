import { z } from 'zod';
import { ACTION_PATTERN, OUTCOMES, TENANT_LOG_ACTIONS, type AuditEvent } from '../event.ts';
import { parsing, refuse, need, type Parsed } from '../fault.ts';
import { LIMITS } from '../limits.ts';
import { parseStrictJson } from '../strict-json.ts';
import { CATALOGUE } from './catalogue.ts';

const shortText = z.string().min(1).max(1024);
const token = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** The members that Tachograph itself reads. Whatever else an event carries is kept. */
export const auditEventSchema = z.looseObject({
  id: z.uuid(),
  time: z.iso.datetime({ precision: 3 }),
  action: z.string().regex(ACTION_PATTERN),
  actor: z.looseObject({
    id: shortText,
    email: shortText.optional(),
    name: shortText.optional(),
    type: shortText.optional(),
  }),
  targets: z
    .array(z.looseObject({ type: shortText, id: shortText, name: shortText.optional() }))
    .max(64)
    .optional(),
  outcome: z.enum(OUTCOMES),
  online: z.boolean(),
  clock: z.looseObject({ boot: token, ms: z.number().nonnegative() }),
  seen: z.looseObject({ size: z.int().nonnegative(), time: z.int().nonnegative() }).optional(),
  session: shortText.optional(),
  app: z.looseObject({ name: shortText, version: shortText.optional() }).optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

/**
 * The event in a leaf, or why it is none. A leaf that is none keeps its place in the log: only its content is
 * rejected. `ofTenantLog` says that the leaf comes from the tenant's own log.
 */
export function parseLeaf(leaf: Uint8Array, { ofTenantLog = false } = {}): Parsed<AuditEvent> {
  return parsing(() => {
    const json = need(parseStrictJson(leaf, LIMITS.jsonDepthMax));
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      refuse('ERR_LEAF_JSON', 'the leaf is JSON, but not an object');
    const event = auditEventSchema.safeParse(json);
    if (!event.success) return refuse('ERR_LEAF_SCHEMA', describe(event.error), fieldOf(event.error));
    const { action, data } = event.data;
    if (!ofTenantLog && TENANT_LOG_ACTIONS.some((reserved) => reserved === action)) {
      refuse('ERR_LEAF_RESERVED', `${action} belongs to the tenant's own log`, { field: 'action' });
    }
    const known = Object.hasOwn(CATALOGUE, action) ? CATALOGUE[action as keyof typeof CATALOGUE] : undefined;
    const checked = known?.data.safeParse(data ?? {});
    if (checked && !checked.success)
      return refuse('ERR_LEAF_DATA', describe(checked.error), fieldOf(checked.error, 'data'));
    return event.data as AuditEvent;
  });
}

function fieldOf(error: z.ZodError, prefix?: string): { field: string } {
  const path = error.issues[0]?.path.join('.') ?? '';
  return { field: [prefix, path].filter(Boolean).join('.') || 'event' };
}

function describe(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => `${path.join('.') || 'event'}: ${message}`)
    .join('; ')
    .slice(0, 500);
}
