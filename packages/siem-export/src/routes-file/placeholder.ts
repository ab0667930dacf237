/** Stands for the child in a route that is a template. */
export const PLACEHOLDER = '{tenant}';

/** `value` with the placeholder in each of its texts, however deep, replaced by `tenant`. */
export function substitute(value: unknown, tenant: string): unknown {
  if (typeof value === 'string') return value.replaceAll(PLACEHOLDER, tenant);
  if (Array.isArray(value)) return value.map((item: unknown) => substitute(item, tenant));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, substitute(inner, tenant)]));
}

/** Where the placeholder stands in a text of `value`. */
export function placeholdersIn(
  value: unknown,
  path: readonly PropertyKey[] = [],
): (readonly PropertyKey[])[] {
  if (typeof value === 'string') return value.includes(PLACEHOLDER) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, inner]) =>
    placeholdersIn(inner, [...path, isList ? Number(name) : name]),
  );
}
