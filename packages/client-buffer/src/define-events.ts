import { ACTION_PATTERN, isReservedAction } from '@tachograph/wire';
import { AuditBufferError } from './errors.ts';
import type { InputOf, SchemaIssue, StandardSchema } from './standard-schema.ts';

/** Actions and the schema of their `data`. */
export type EventSchemas = { readonly [action: string]: StandardSchema };

/** The events that an app may record: made by {@link defineEvents}. */
export type EventDefinitions<Schemas extends EventSchemas = EventSchemas> = { readonly schemas: Schemas };

/** What an app passes as `data` for `Action`. */
export type DataOf<Schemas extends EventSchemas, Action extends keyof Schemas> = InputOf<Schemas[Action]>;

/**
 * Defines the events of an app: `record()` then takes these actions only, each with data of its schema.
 *
 * @param schemas action (`noun.verb`, at most 64 characters) → any Standard Schema (zod, valibot, arktype, …)
 * @throws AuditBufferError ERR_EVENT_INVALID for a name that is not of this form, or is one of the library's own
 * @example
 * const events = defineEvents({ 'item.reveal': z.object({ vault: z.string() }) });
 */
export function defineEvents<const Schemas extends EventSchemas>(
  schemas: Schemas,
): EventDefinitions<Schemas> {
  for (const action of Object.keys(schemas)) {
    if (!ACTION_PATTERN.test(action))
      throw new AuditBufferError('ERR_EVENT_INVALID', `"${action}" is not of the form noun.verb`);
    if (isReservedAction(action))
      throw new AuditBufferError('ERR_EVENT_INVALID', `"${action}" is written by Tachograph itself`);
  }
  return { schemas };
}

/**
 * The validated data of an event.
 * @throws AuditBufferError ERR_EVENT_UNKNOWN for an action that was not defined, ERR_EVENT_DATA for wrong data
 */
export function validateData({ schemas }: EventDefinitions, action: string, data: unknown): unknown {
  const schema = Object.hasOwn(schemas, action) ? schemas[action] : undefined;
  if (schema === undefined)
    throw new AuditBufferError('ERR_EVENT_UNKNOWN', `"${action}" is not among the events that were defined`);
  const result = schema['~standard'].validate(data);
  if (result instanceof Promise) {
    // Recording is synchronous, so that an event has its place before the app goes on. The promise is watched
    // because its rejection would otherwise surface as somebody else's unhandled one.
    result.catch(() => undefined);
    throw new AuditBufferError('ERR_EVENT_DATA', `the schema of "${action}" validates asynchronously`);
  }
  if (result.issues) throw new AuditBufferError('ERR_EVENT_DATA', `${action}: ${describe(result.issues)}`);
  return result.value;
}

function describe(issues: readonly SchemaIssue[]): string {
  return issues
    .map(({ message, path = [] }) => {
      const at = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
      return at === '' ? message : `${at}: ${message}`;
    })
    .join('; ');
}
