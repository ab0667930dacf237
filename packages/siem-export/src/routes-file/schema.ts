import { z } from 'zod';
import { EXPORT_LIMITS } from '../limits.ts';
import { SINKS } from '../sinks/registry.ts';
import type { Sink } from '../sinks/sink.ts';
import { MEMBER_MEANINGS, writtenMembers } from './members.ts';

type Json = string | number | boolean | null | readonly Json[] | JsonObject;
type JsonObject = { readonly [name: string]: Json };

/** A text that is checked only once the placeholder is filled in. */
const WITH_PLACEHOLDER = { type: 'string', pattern: '\\{tenant\\}' } as const;
const MAY_HOLD_PLACEHOLDER = new Set(['name', 'sink', 'deadLetters']);

/** The JSON schema of the file of routes, for editors: `docs/routes.schema.json` is this. */
export function routesFileSchema(sinks: readonly Sink[] = SINKS): JsonObject {
  const route = z.strictObject(writtenMembers(sinks, z.union(sinks.map(({ config }) => config))));
  // Draft 7 is what editors know best.
  const { $schema, properties, ...schema } = z.toJSONSchema(route, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
  }) as JsonObject & { readonly properties: JsonObject };
  const items = {
    ...schema,
    description: 'Which tenants’ events go to which destination, in which format.',
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, node]) => [name, described(name, node)]),
    ),
    oneOf: [{ required: ['tenants'] }, { required: ['eachChildOf'] }],
  };
  return {
    $schema: $schema ?? null,
    title: 'Routes of Tachograph',
    type: 'object',
    properties: { routes: { type: 'array', minItems: 1, maxItems: EXPORT_LIMITS.routesWrittenMax, items } },
    required: ['routes'],
    additionalProperties: false,
  };
}

function described(name: string, node: Json): JsonObject {
  const [, description] = Object.entries(MEMBER_MEANINGS).find(([member]) => member === name) ?? [];
  const schema = MAY_HOLD_PLACEHOLDER.has(name) ? withPlaceholders(node) : node;
  return { ...(description === undefined ? {} : { description }), ...(schema as JsonObject) };
}

/** Lets the placeholder of a template stand in each text. */
function withPlaceholders(node: Json): Json {
  if (Array.isArray(node)) return node.map(withPlaceholders);
  if (typeof node !== 'object' || node === null) return node;
  const members = Object.entries(node).map(([name, inner]: [string, Json]) => [
    name,
    withPlaceholders(inner),
  ]);
  const same = Object.fromEntries(members) as JsonObject;
  const isLimited =
    same['type'] === 'string' && ['pattern', 'format', 'maxLength'].some((name) => name in same);
  return isLimited ? { anyOf: [same, WITH_PLACEHOLDER] } : same;
}
