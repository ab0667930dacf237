import { parseNote, PURGE_NOTE } from '@tachograph/wire';

/** What a stored directive orders. */
export function scopesOf(note: string): readonly string[] {
  const parsed = parseNote(note);
  const statement = parsed.ok ? PURGE_NOTE.parse(parsed.value.text) : parsed;
  return statement.ok ? statement.value.scopes : [];
}

/** Whether a stored directive orders all of a cache. */
export function isWhole(note: string): boolean {
  return scopesOf(note).includes('*');
}

/** Whether who carries out an order for `ordered` has destroyed all of `scopes`. */
export function covers(ordered: readonly string[], scopes: readonly string[]): boolean {
  return ordered.includes('*') || scopes.every((scope) => ordered.includes(scope));
}
