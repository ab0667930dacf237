import {
  DEFAULT_ROUTE,
  describeProblem,
  expandRoutes,
  readRoutesFile,
  type FormatName,
  type KnownTenant,
  type RouteInput,
} from '@tachograph/siem-export';
import type { RoutesText } from './routes-text.ts';

/** Where the routes of an exporter come from. */
export type RoutesOrigin = {
  readonly file: string;
  /** Whether somebody named the file: it then has to be there. */
  readonly named: boolean;
  /** How the built-in route writes events, where there is no file. */
  readonly format: FormatName;
};

export type LoadedRoutes =
  | {
      readonly ok: true;
      /** `null` is the built-in route. */
      readonly file: string | null;
      readonly routes: readonly RouteInput[];
      /** One line each, with file, line and column. */
      readonly warnings: readonly string[];
      readonly leftOut: number;
      /** Tenants that no route is for. */
      readonly uncovered: readonly string[];
    }
  | { readonly ok: false; readonly file: string; readonly problems: readonly string[] };

/** The routes that follow from what stands in the file and the tenants of this moment. Pure. */
export function loadRoutes(
  { file, named, format }: RoutesOrigin,
  found: RoutesText,
  tenants: readonly KnownTenant[] | null,
): LoadedRoutes {
  if (found.kind === 'none') {
    if (named) return { ok: false, file, problems: [`${file}: there is no such file`] };
    const routes = [{ ...DEFAULT_ROUTE, format }];
    return { ok: true, file: null, routes, warnings: [], leftOut: 0, uncovered: [] };
  }
  if (found.kind === 'unreadable') return { ok: false, file, problems: [`${file}: ${found.reason}`] };
  const written = readRoutesFile(found.text);
  if (!written.ok) {
    return { ok: false, file, problems: written.problems.map((problem) => describeProblem(file, problem)) };
  }
  const { routes, warnings, leftOut, uncovered } = expandRoutes(written.routes, tenants);
  const lines = [...written.warnings, ...warnings].map((warning) => describeProblem(file, warning));
  return { ok: true, file, routes, warnings: lines, leftOut, uncovered };
}
