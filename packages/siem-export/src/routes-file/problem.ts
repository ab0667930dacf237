import { EXPORT_LIMITS } from '../limits.ts';

/** Where in the file: both counted from 1. */
export type Place = { readonly line: number; readonly column: number };

/**
 * What is wrong with a file of routes. Its words never hold what stands in the file but the names of routes and
 * tenants: a secret that somebody wrote into it by mistake must not travel on in a log.
 */
export type RoutesProblem = {
  /** An error decides that nothing of the file is used; a warning is worth knowing. */
  readonly severity: 'error' | 'warning';
  readonly place: Place;
  /** `routes[2].sink.url`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
};

/** Of a file whose text was not even read. */
export function fileProblem(message: string): RoutesProblem {
  return { severity: 'error', place: { line: 1, column: 1 }, path: '', message };
}

/** One line, as compilers write it, so that editors and terminals can jump there. */
export function describeProblem(file: string, { place, path, message }: RoutesProblem): string {
  return `${file}:${place.line}:${place.column}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** In the order of the file, and no more than a person reads. */
export function orderProblems(problems: readonly RoutesProblem[]): readonly RoutesProblem[] {
  const ordered = problems.toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  const max = EXPORT_LIMITS.routesProblemsMax;
  if (ordered.length <= max) return ordered;
  // An error among what is left out must still be an error.
  const { severity, place } =
    ordered.slice(max).find((problem) => problem.severity === 'error') ?? ordered[max]!;
  return [
    ...ordered.slice(0, max),
    { severity, place, path: '', message: `and ${ordered.length - max} more` },
  ];
}

/** `['routes', 2, 'sink', 'url']` as `routes[2].sink.url`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}
