import { z } from 'zod';
import { EXPORT_LIMITS } from '../limits.ts';
import { claimsOf, type RouteInput } from '../route.ts';
import { SINKS } from '../sinks/registry.ts';
import type { Sink } from '../sinks/sink.ts';
import { findingsOf, type Finding } from './issue-words.ts';
import { PLACEHOLDER, placeholdersIn } from './placeholder.ts';
import { orderProblems, pathText, type RoutesProblem } from './problem.ts';
import { schemaNode } from './schema-node.ts';
import { RouteReader, type TenantChoice } from './written-route.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** One route of the file, before its tenants are known. */
export type WrittenRoute = {
  readonly choice: TenantChoice;
  /** Where it begins. */
  readonly line: number;
  /** What is to be said of a member of it, or with an empty path of the route itself. */
  readonly problem: (
    severity: RoutesProblem['severity'],
    member: readonly PropertyKey[],
    message: string,
  ) => RoutesProblem;
  /** The route for `tenants`; of a template, with `tenant` in its placeholders. */
  readonly forTenants: (tenants: RouteInput['tenants'], tenant: string) => Filled;
};

type Filled =
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

/** Two tenants that a template is tried with, before there are any: like no text that stands in a file. */
const [SAMPLE, OTHER_SAMPLE] = ['zq7x4kw1', 'wk1x7q4z'] as const;

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
    line: source.placeOf(base, 'value').line,
    problem: (severity, member, message) => {
      const path = [...base, ...member];
      return { severity, place: source.placeOf(path, 'value'), path: pathText(path), message };
    },
    forTenants: (tenants, tenant) => fill(reader, written, tenants, tenant),
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
  const message = `${PLACEHOLDER} is filled in only where eachChildOf makes the route a template`;
  return placeholdersIn(written).map((path) => route.problem('warning', path, message));
}

/** Names and files that two routes would share whatever tenants there are. */
function sharedClaims(routes: readonly WrittenRoute[]): RoutesProblem[] {
  const owners = new Map<string, WrittenRoute>();
  return routes.flatMap((route) => {
    const { choice } = route;
    const own = claimsBy(route, SAMPLE);
    const taken = own.flatMap((claim) => {
      // Templates of different providers never meet: a tenant has one parent.
      const key = choice.kind === 'eachChildOf' ? `${choice.id} ${claim}` : claim;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, route);
      return owner === undefined ? [] : [`${claim} is taken by the route of line ${owner.line}`];
    });
    const others = choice.kind === 'eachChildOf' ? claimsBy(route, OTHER_SAMPLE) : [];
    const constant = own
      .filter((claim) => others.includes(claim))
      .map((claim) => `every customer would have ${claim}: put ${PLACEHOLDER} into it`);
    return constant
      .concat(taken)
      .map((message) => route.problem('error', [], message.replaceAll(SAMPLE, PLACEHOLDER)));
  });
}

function claimsBy(route: WrittenRoute, tenant: string): readonly string[] {
  const filled = route.forTenants([tenant], tenant);
  return filled.ok ? filled.claims : [];
}
