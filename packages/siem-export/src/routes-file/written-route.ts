import { z } from 'zod';
import { routeSchema, type Route, type RouteInput } from '../route.ts';
import type { Sink } from '../sinks/sink.ts';
import { findingsOf, type Finding } from './issue-words.ts';
import { writtenMembers } from './members.ts';
import { substitute } from './placeholder.ts';
import { schemaNode, type SchemaNode } from './schema-node.ts';

/** Which tenants a written route is for. */
export type TenantChoice =
  | { readonly kind: 'all' }
  | { readonly kind: 'listed'; readonly ids: readonly string[] }
  /** One route for all of a provider's customers together. */
  | { readonly kind: 'childrenOf'; readonly id: string }
  /** A template: a route for each of them. */
  | { readonly kind: 'eachChildOf'; readonly id: string };

/** A route without its tenants, whose sink is known to be what that sink takes. */
type Checked = { readonly choice: TenantChoice; readonly rest: Omit<RouteInput, 'tenants'> };

export type ReadRoute =
  | { readonly ok: true; readonly checked: Checked }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Reads routes as they are written down, with the sinks that there are. Pure. */
export class RouteReader {
  readonly #sinks: readonly Sink[];
  readonly #schema;
  readonly #complete;
  readonly #node: SchemaNode;
  readonly #sinkNodes = new Map<string, SchemaNode>();

  constructor(sinks: readonly Sink[]) {
    this.#sinks = sinks;
    this.#schema = writtenRouteSchema(sinks);
    this.#complete = routeSchema(sinks);
    this.#node = schemaNode(this.#schema);
  }

  /** `tenant` is put where the placeholder of a template stands. Paths begin at the route. */
  read(written: unknown, tenant: string): ReadRoute {
    const isTemplate = typeof written === 'object' && written !== null && 'eachChildOf' in written;
    const input = isTemplate ? filledIn(written, tenant) : written;
    const parsed = this.#schema.safeParse(input);
    const found = parsed.success ? [] : findingsOf(parsed.error.issues, input, this.#node);
    // Looked at also where other members are wrong: every problem is told at once.
    const findings = [...found, ...choiceFindings(input), ...this.#sinkFindings(input)];
    if (!parsed.success || findings.length > 0) return { ok: false, findings };
    const { tenants, eachChildOf, ...rest } = parsed.data;
    return { ok: true, checked: { choice: choiceOf(tenants, eachChildOf), rest } };
  }

  /** The same with every default. @throws ZodError where it is no route */
  complete(route: RouteInput): Route {
    return this.#complete.parse(route);
  }

  #sinkFindings(input: unknown): Finding[] {
    const config = z.looseObject({ sink: z.looseObject({ type: z.string() }) }).safeParse(input).data?.sink;
    const sink = this.#sinks.find(({ type }) => type === config?.type);
    if (sink === undefined) return [];
    const { error } = sink.config.safeParse(config);
    if (error === undefined) return [];
    const below = (path: readonly PropertyKey[]) => ['sink', ...path];
    return findingsOf(error.issues, config, this.#nodeOf(sink)).map(({ where, part, path, message }) => ({
      where: below(where),
      part,
      path: below(path),
      message,
    }));
  }

  #nodeOf({ type, config }: Sink): SchemaNode {
    const node = this.#sinkNodes.get(type) ?? schemaNode(config);
    this.#sinkNodes.set(type, node);
    return node;
  }
}

/** The sink's own settings are checked by the sink's own schema, behind this one. */
function writtenRouteSchema(sinks: readonly Sink[]) {
  return z.strictObject(
    writtenMembers(sinks, z.looseObject({ type: z.enum(sinks.map(({ type }) => type)) })),
  );
}

function filledIn(written: object, tenant: string): object {
  const filled = Object.entries(written).map(([name, value]: [string, unknown]) => [
    name,
    ['name', 'sink', 'deadLetters'].includes(name) ? substitute(value, tenant) : value,
  ]);
  return Object.fromEntries(filled) as object;
}

function choiceFindings(input: unknown): Finding[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [];
  const both = 'tenants' in input && 'eachChildOf' in input;
  if (!both && ('tenants' in input || 'eachChildOf' in input)) return [];
  const path = both ? ['eachChildOf'] : [];
  const message = both
    ? 'stands instead of tenants, not beside it'
    : 'tenants is missing: "*", a list, or {childrenOf: …}; or eachChildOf for a template';
  return [{ where: path, part: 'name', path, message }];
}

function choiceOf(
  tenants: '*' | readonly string[] | { readonly childrenOf: string } | undefined,
  eachChildOf: string | undefined,
): TenantChoice {
  if (eachChildOf !== undefined) return { kind: 'eachChildOf', id: eachChildOf };
  if (tenants === undefined || tenants === '*') return { kind: 'all' };
  if ('childrenOf' in tenants) return { kind: 'childrenOf', id: tenants.childrenOf };
  return { kind: 'listed', ids: tenants };
}
