import { HEADER } from '@tachograph/event-log';
import { timeIn } from '../../formats/times.ts';
import type { Delivery } from '../sink.ts';

const PLACEHOLDER = /\{(tenant|yyyy|MM|dd)\}/g;

/** What an index may be named, apart from placeholders. */
export const INDEX_PATTERN = /^[a-z0-9]([a-z0-9._-]|\{(tenant|yyyy|MM|dd)\})*$/;

/**
 * The index of an event. Its date is that of reception, which stands in the event and never changes: a replay goes to
 * the same index, where the same id is known. By when it happened, late events would reopen old indexes; by the clock, a
 * replay would write everything once more.
 */
export function indexOf(pattern: string, { event: { headers }, time }: Delivery): string {
  const date = new Date(timeIn(headers, HEADER.recordedTime) ?? time);
  const values: Readonly<Record<string, string>> = {
    tenant: headers[HEADER.tenant] ?? 'none',
    yyyy: String(date.getUTCFullYear()),
    MM: String(date.getUTCMonth() + 1).padStart(2, '0'),
    dd: String(date.getUTCDate()).padStart(2, '0'),
  };
  return pattern.replaceAll(PLACEHOLDER, (_, name: string) => values[name]!);
}

/** The pattern of every index that there may be. */
export function wildcardOf(pattern: string): string {
  return pattern.replaceAll(PLACEHOLDER, '*');
}
