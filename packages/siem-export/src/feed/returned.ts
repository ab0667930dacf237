import { deterministicEventId, HEADER, type FilteredRun } from '@tachograph/event-log';
import { integerIn, timeIn } from '../formats/times.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import type { Finding } from './notice.ts';

/** A device that comes back with events that waited, and the index before which they end. */
export type Return = { readonly finding: Finding; readonly until: number };

/**
 * Whether `run` begins a backlog: what its first record says of the oldest event that waited, and of how many did.
 * `until` is where the device's last backlog ended, so that the appends of one backlog tell of it once. Pure.
 */
export function returnOf({ append, delivered }: FilteredRun, until: number | null): Return | null {
  const first = append?.records[0];
  if (append === null || first === undefined || delivered.length === 0) return null;
  const { origin, edge } = append;
  if (until !== null && edge.size < until) return null;
  const { headers } = first;
  const pending = integerIn(headers, HEADER.pending);
  const [oldest, received] = [timeIn(headers, HEADER.oldest), timeIn(headers, HEADER.recordedTime)];
  if (pending === undefined || oldest === undefined || received === undefined) return null;
  const waitedMs = Date.parse(received) - Date.parse(oldest);
  if (waitedMs < EXPORT_LIMITS.returnedAfterMs) return null;
  const id = deterministicEventId('device.returned', origin, edge.size, pending);
  const data = { pending, oldest, waitedMs, from: edge.size };
  return {
    finding: { id, kind: 'device.returned', origin, at: first, data },
    until: edge.size + pending,
  };
}
