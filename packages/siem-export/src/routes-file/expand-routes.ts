import { assertNever } from '@tachograph/wire';
import { EXPORT_LIMITS } from '../limits.ts';
import type { RouteInput } from '../route.ts';
import { orderProblems, pathText, type RoutesProblem } from './problem.ts';
import type { WrittenRoute } from './written-routes.ts';

/** A client organisation, and the provider that it is a customer of. */
export type KnownTenant = { readonly id: string; readonly parent: string | null };

export type ExpandedRoutes = {
  /** What the exporter is given: templates as one route for each customer. */
  readonly routes: readonly RouteInput[];
  /** What the tenants of this moment make of the file. None of it stops a route that is fine. */
  readonly warnings: readonly RoutesProblem[];
  /** How many routes of templates are left out, each with a warning. */
  readonly leftOut: number;
  /** Tenants that no route is for. */
  readonly uncovered: readonly string[];
};

/**
 * The routes for the tenants that there are. A tenant that is made later can add a route or a warning, but never
 * makes the file wrong: whoever may make tenants could else stop the feed of all others. Pure.
 *
 * @param tenants `null` where nobody knows them: templates are then left out
 */
export function expandRoutes(
  written: readonly WrittenRoute[],
  tenants: readonly KnownTenant[] | null,
): ExpandedRoutes {
  const known = tenants?.toSorted((a, b) => (a.id < b.id ? -1 : 1)) ?? null;
  const expansion = new Expansion(known);
  // Routes that stand in the file as they are come first: no customer's name can take theirs.
  for (const route of written) if (route.choice.kind !== 'eachChildOf') expansion.addPlain(route);
  for (const route of written)
    if (route.choice.kind === 'eachChildOf') expansion.addTemplate(route, route.choice.id);
  return expansion.result();
}

class Expansion {
  readonly #tenants: readonly KnownTenant[] | null;
  readonly #routes: RouteInput[] = [];
  readonly #warnings: RoutesProblem[] = [];
  readonly #taken = new Set<string>();
  #leftOut = 0;

  constructor(tenants: readonly KnownTenant[] | null) {
    this.#tenants = tenants;
  }

  addPlain(route: WrittenRoute): void {
    const tenants = this.#tenantsOf(route);
    if (tenants !== null) this.#add(route, tenants, '');
  }

  addTemplate(route: WrittenRoute, provider: string): void {
    for (const child of this.#childrenOf(route, provider, ['eachChildOf'])) this.#add(route, [child], child);
  }

  result(): ExpandedRoutes {
    const covered = new Set(this.#routes.flatMap(({ tenants }) => tenants));
    const uncovered = covered.has('*')
      ? []
      : (this.#tenants ?? []).map(({ id }) => id).filter((id) => !covered.has(id));
    return {
      routes: this.#routes,
      warnings: orderProblems(this.#warnings),
      leftOut: this.#leftOut,
      uncovered,
    };
  }

  #tenantsOf(route: WrittenRoute): RouteInput['tenants'] | null {
    const { choice } = route;
    switch (choice.kind) {
      case 'all':
        return '*';
      case 'listed':
        for (const [i, id] of choice.ids.entries()) this.#warnUnknown(route, id, ['tenants', i]);
        return [...choice.ids];
      case 'childrenOf': {
        const children = this.#childrenOf(route, choice.id, ['tenants', 'childrenOf']);
        return children.length === 0 ? null : children;
      }
      case 'eachChildOf':
        return null;
      default:
        return assertNever(choice);
    }
  }

  #childrenOf(route: WrittenRoute, provider: string, member: readonly PropertyKey[]): string[] {
    if (this.#tenants === null) {
      this.#warn(route, member, 'nobody knows the tenants here, so this route is left out');
      return [];
    }
    if (this.#warnUnknown(route, provider, member)) return [];
    const children = this.#tenants.filter(({ parent }) => parent === provider).map(({ id }) => id);
    if (children.length === 0) this.#warn(route, member, `${provider} has no customers yet`);
    return children;
  }

  #warnUnknown(route: WrittenRoute, id: string, member: readonly PropertyKey[]): boolean {
    if (this.#tenants === null || this.#tenants.some((tenant) => tenant.id === id)) return false;
    this.#warn(route, member, `there is no tenant ${id} yet`);
    return true;
  }

  #add(route: WrittenRoute, tenants: RouteInput['tenants'], child: string): void {
    const filled = route.forTenants(tenants, child);
    const leaveOut = (member: readonly PropertyKey[], reason: string): void => {
      this.#leftOut += 1;
      this.#warn(route, member, `the route for ${child} is left out: ${reason}`);
    };
    if (!filled.ok) {
      const { where, path, message } = filled.finding;
      return leaveOut(where, `${pathText(path)}: ${message}`);
    }
    const clash = filled.claims.find((claim) => this.#taken.has(claim));
    if (clash !== undefined) return leaveOut([], `${clash} is taken by another route`);
    const max = EXPORT_LIMITS.routesMax;
    if (this.#routes.length >= max) return leaveOut([], `there are ${max} routes already`);
    for (const claim of filled.claims) this.#taken.add(claim);
    this.#routes.push(filled.route);
  }

  #warn(route: WrittenRoute, member: readonly PropertyKey[], message: string): void {
    this.#warnings.push(route.problem('warning', member, message));
  }
}
