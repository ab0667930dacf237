import { HEADER } from '@tachograph/event-log';
import type { ExportEvent } from '../export-event.ts';
import type { Format, FormatContext } from '../formats/format.ts';
import { chosenTime } from '../formats/times.ts';
import type { Delivery } from '../sinks/sink.ts';
import { noCounts, type MutableCounts } from './counts.ts';
import type { DeadLetter } from './dead-letters.ts';

/** What is to be done for some events of a route: all of it, and then the position moves. */
export type Plan = {
  /** In the order of the log. */
  readonly deliveries: readonly Delivery[];
  /** What is known to be a dead letter before anything is sent. */
  readonly letters: readonly DeadLetter[];
  /** As if the destination took every delivery. */
  readonly counts: MutableCounts;
};

/** Decides what becomes of each event that a route has asked for. Pure. */
export function planOf(events: readonly ExportEvent[], format: Format, context: FormatContext): Plan {
  const plan = { deliveries: [] as Delivery[], letters: [] as DeadLetter[], counts: noCounts() };
  for (const event of events) put(event, plan, format, context);
  return plan;
}

function put(
  event: ExportEvent,
  { deliveries, letters, counts }: { deliveries: Delivery[]; letters: DeadLetter[]; counts: MutableCounts },
  format: Format,
  context: FormatContext,
): void {
  // A notice is no record of the log.
  counts[event.leafHash === null ? 'notices' : 'records']++;
  const rejected = event.headers[HEADER.rejected];
  if (rejected !== undefined) {
    letters.push({ event, refusedBy: 'content', reason: rejected });
    counts.contentRejected++;
  }
  const formatted = format.format(event, context);
  if (formatted.kind === 'line') {
    deliveries.push({ event, line: formatted.text, time: chosenTime(event.headers, context) });
    if (event.leafHash !== null) counts.delivered++;
    return;
  }
  // One letter is enough: what ingest said of the content is the better reason.
  if (rejected === undefined) letters.push({ event, refusedBy: 'format', reason: formatted.reason });
  if (event.leafHash !== null) counts.deadLettered++;
}
