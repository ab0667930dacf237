import { z } from 'zod';
import { EXPORT_LIMITS } from '../limits.ts';
import { SINKS } from '../sinks/registry.ts';
import type { Sink } from '../sinks/sink.ts';
import { writtenMembers } from './members.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A text that is checked only once the placeholder is filled in. */
const WITH_PLACEHOLDER = { type: 'string', pattern: '\\{tenant\\}' } as const;

/** The JSON schema of the file of routes, for editors: `docs/routes.schema.json` is this. */
export function routesFileSchema(sinks: readonly Sink[] = SINKS): Json {
  const route = z.strictObject(writtenMembers(sinks, z.union(sinks.map(({ config }) => config)))).meta({
    description: 'Which tenants’ events go to which destination, in which format.',
    oneOf: [{ required: ['tenants'] }, { required: ['eachChildOf'] }],
  });
  const file = z.strictObject({ routes: z.array(route).min(1).max(EXPORT_LIMITS.routesWrittenMax) });
  const schema = z.toJSONSchema(file, { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as Json;
  return { title: 'Routes of Tachograph', ...(withPlaceholders(schema, []) as object) };
}

/** Lets the placeholder of a template stand in each text of name, sink and deadLetters. */
function withPlaceholders(node: Json, path: readonly string[]): Json {
  if (Array.isArray(node)) return node.map((item: Json) => withPlaceholders(item, path));
  if (typeof node !== 'object' || node === null) return node;
  const members = Object.entries(node).map(([name, inner]: [string, Json]) => [
    name,
    withPlaceholders(inner, [...path, name]),
  ]);
  const same = Object.fromEntries(members) as { readonly [name: string]: Json };
  const isLimited =
    same['type'] === 'string' && ['pattern', 'format', 'maxLength'].some((name) => name in same);
  if (!isLimited || !mayHoldPlaceholder(path)) return same;
  const { description, ...limited } = same;
  return { ...(description === undefined ? {} : { description }), anyOf: [limited, WITH_PLACEHOLDER] };
}

function mayHoldPlaceholder(path: readonly string[]): boolean {
  // Behind "properties", "routes", "items", "properties".
  return ['name', 'sink', 'deadLetters'].includes(path[4] ?? '');
}
