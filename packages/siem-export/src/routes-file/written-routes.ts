import { z } from 'zod';
import { EXPORT_LIMITS } from '../limits.ts';
import { claimsOf, type RouteInput } from '../route.ts';
import { SINKS } from '../sinks/registry.ts';
import type { Sink } from '../sinks/sink.ts';
import { findingsOf, type Finding } from './issue-words.ts';
import { PLACEHOLDER, placeholdersIn } from './placeholder.ts';
import { orderProblems, pathText, type Place, type RoutesProblem } from './problem.ts';
import { schemaNode } from './schema-node.ts';
import { RouteReader, type TenantChoice } from './written-route.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** One route of the file, before its tenants are known. */
export type WrittenRoute = {
  readonly choice: TenantChoice;
  /** Where a member of it stands. */
  readonly at: (...member: readonly PropertyKey[]) => { readonly place: Place; readonly path: string };
  /** The route for `tenants`; of a template, with `tenant` in its placeholders. `null` with the reason where that is none. */
  readonly fill: (tenants: RouteInput['tenants'], tenant: string) => Filled;
};

export type Filled =
  | { readonly ok: true; readonly route: RouteInput; readonly claims: readonly string[] }
  | { readonly ok: false; readonly finding: Finding };

export type WrittenRoutes =
  | {
      readonly ok: true;
      readonly routes: readonly WrittenRoute[];
      readonly warnings: readonly RoutesProblem[];
    }
  /** In the order of the file. */
  | { readonly ok: false; readonly problems: readonly RoutesProblem[] };

const FILE = z.strictObject({
  routes: z
    .array(z.unknown())
    .min(1, 'expected at least one route')
    .max(
      EXPORT_LIMITS.routesWrittenMax,
      `expected at most ${EXPORT_LIMITS.routesWrittenMax} routes; a template makes many of one`,
    ),
});

/** Two tenants that a template is tried with, before there are any. */
const [SAMPLE, OTHER_SAMPLE] = ['tenant', 'other'] as const;

/** Everything that the file alone decides, whatever tenants there are: it never becomes wrong by itself later. Pure. */
export function readRoutesFile(text: string, sinks: readonly Sink[] = SINKS): WrittenRoutes {
  const yaml = readYaml(text);
  if (!yaml.ok) return { ok: false, problems: orderProblems(yaml.problems) };
  const { source } = yaml;
  const parsed = FILE.safeParse(source.value);
  if (!parsed.success) {
    const found = findingsOf(parsed.error.issues, source.value, schemaNode(FILE));
    return { ok: false, problems: orderProblems(found.map((finding) => problemOf(source, [], finding))) };
  }
  const reader = new RouteReader(sinks);
  const read = parsed.data.routes.map((written, i) => readOne(source, reader, written, i));
  const routes = read.flatMap(({ route }) => (route === null ? [] : [route]));
  const problems = orderProblems([...read.flatMap((each) => each.problems), ...sharedClaims(routes)]);
  return problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems }
    : { ok: true, routes, warnings: problems };
}

function readOne(
  source: YamlSource,
  reader: RouteReader,
  written: unknown,
  index: number,
): { readonly route: WrittenRoute | null; readonly problems: readonly RoutesProblem[] } {
  const base = ['routes', index];
  const result = reader.read(written, SAMPLE);
  if (!result.ok) {
    return { route: null, problems: result.findings.map((finding) => problemOf(source, base, finding)) };
  }
  const { choice } = result.checked;
  const route: WrittenRoute = {
    choice,
    at: (...member) => ({
      place: source.placeOf([...base, ...member], 'value'),
      path: pathText([...base, ...member]),
    }),
    fill: (tenants, tenant) => fill(reader, written, tenants, tenant),
  };
  return { route, problems: choice.kind === 'eachChildOf' ? [] : strayPlaceholders(route, written) };
}

function fill(reader: RouteReader, written: unknown, tenants: RouteInput['tenants'], tenant: string): Filled {
  const result = reader.read(written, tenant);
  if (!result.ok) return { ok: false, finding: result.findings[0]! };
  const route: RouteInput = { ...result.checked.rest, tenants };
  return { ok: true, route, claims: claimsOf(reader.complete(route)) };
}

function problemOf(source: YamlSource, base: readonly PropertyKey[], finding: Finding): RoutesProblem {
  return {
    severity: 'error',
    place: source.placeOf([...base, ...finding.where], finding.part),
    path: pathText([...base, ...finding.path]),
    message: finding.message,
  };
}

/** What was meant for a template, and would be taken as it stands. */
function strayPlaceholders(route: WrittenRoute, written: unknown): RoutesProblem[] {
  return placeholdersIn(written).map((path) => ({
    severity: 'warning',
    ...route.at(...path),
    message: `${PLACEHOLDER} is filled in only where eachChildOf makes the route a template`,
  }));
}

/** Names and files that two routes would share whatever tenants there are. */
function sharedClaims(routes: readonly WrittenRoute[]): RoutesProblem[] {
  const owners = new Map<string, Place>();
  return routes.flatMap((route) => {
    const own = claimsBy(route, SAMPLE);
    const problems: RoutesProblem[] = [];
    const isTemplate = route.choice.kind === 'eachChildOf';
    const constant = isTemplate ? claimsBy(route, OTHER_SAMPLE).filter((claim) => own.includes(claim)) : [];
    for (const claim of constant) {
      const message = `every customer would have ${claim}: put ${PLACEHOLDER} into it`;
      problems.push({ severity: 'error', ...route.at(), message });
    }
    for (const claim of own) {
      // Templates of different providers never meet: a tenant has one parent.
      const key = route.choice.kind === 'eachChildOf' ? `${route.choice.id} ${claim}` : claim;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, route.at().place);
      else
        problems.push({
          severity: 'error',
          ...route.at(),
          message: `${claim} is taken by the route of line ${owner.line}`,
        });
    }
    return problems;
  });
}

function claimsBy(route: WrittenRoute, tenant: string): readonly string[] {
  const filled = route.fill([tenant], tenant);
  return filled.ok ? filled.claims : [];
}
