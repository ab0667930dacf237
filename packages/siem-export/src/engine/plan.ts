import { HEADER, type FilteredRun, type StoredRecord } from '@tachograph/event-log';
import type { Bytes } from '@tachograph/wire';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';
import type { Format, FormatContext } from '../formats/format.ts';
import { chosenTime } from '../formats/times.ts';
import type { Route } from '../route.ts';
import type { Delivery } from '../sinks/sink.ts';
import { alarmEvent } from './alarm-event.ts';
import { noCounts, type MutableCounts } from './counts.ts';
import type { DeadLetter } from './dead-letters.ts';

/** What is to be done for some runs of records: all of it, and then the position moves. */
export type Plan = {
  /** In the order of the log. */
  readonly deliveries: readonly Delivery[];
  /** What is known to be a dead letter before anything is sent. */
  readonly letters: readonly DeadLetter[];
  /** As if the destination took every delivery. */
  readonly counts: MutableCounts;
};

type Choice = Pick<Route, 'tenants' | 'actions'>;

/** Decides what becomes of each record that came out of the log-order filter. Pure. */
export function planOf(
  runs: readonly FilteredRun[],
  choice: Choice,
  format: Format,
  context: FormatContext,
): Plan {
  const plan = { deliveries: [] as Delivery[], letters: [] as DeadLetter[], counts: noCounts() };
  for (const run of runs) {
    countWithheld(run, plan.counts);
    // An alarm is told before what follows it: analysts read the feed in order.
    for (const event of run.alarms.map(alarmEvent)) {
      if (put(event, plan, choice, format, context) !== 'notRouted') plan.counts.alarms++;
    }
    for (const event of deliveredEvents(run)) {
      plan.counts[put(event, plan, choice, format, context)]++;
    }
  }
  return plan;
}

function put(
  event: ExportEvent,
  { deliveries, letters, counts }: { deliveries: Delivery[]; letters: DeadLetter[]; counts: MutableCounts },
  choice: Choice,
  format: Format,
  context: FormatContext,
): 'delivered' | 'deadLettered' | 'notRouted' {
  if (!isChosen(event, choice)) return 'notRouted';
  const rejected = event.headers[HEADER.rejected];
  if (rejected !== undefined) {
    letters.push({ event, refusedBy: 'content', reason: rejected });
    counts.contentRejected++;
  }
  const formatted = format.format(event, context);
  if (formatted.kind === 'line') {
    deliveries.push({ event, line: formatted.text, time: chosenTime(event.headers, context) });
    return 'delivered';
  }
  // One letter is enough: what ingest said of the content is the better reason.
  if (rejected === undefined) letters.push({ event, refusedBy: 'format', reason: formatted.reason });
  return 'deadLettered';
}

function isChosen({ headers }: ExportEvent, { tenants, actions }: Choice): boolean {
  if (tenants !== '*' && !tenants.includes(headers[HEADER.tenant] ?? '')) return false;
  // An alarm is about the log itself, so a choice of actions cannot mute it.
  if (actions === undefined || SUBJECT_HEADER in headers) return true;
  return actions.includes(headers[HEADER.type] ?? '');
}

/** The delivered records with their leaf hashes, which the filter has computed for the whole append. */
function deliveredEvents({ append, delivered }: FilteredRun): ExportEvent[] {
  const events: ExportEvent[] = [];
  for (const [i, record] of (append?.records ?? []).entries()) {
    // Delivered is a part of the append's records, in the same order.
    if (record === delivered[events.length]) events.push(exportEvent(record, append!.leafHashes[i]!));
  }
  return events;
}

function exportEvent({ headers, value, partition, offset }: StoredRecord, leafHash: Bytes): ExportEvent {
  return { headers, value, leafHash, partition, offset };
}

function countWithheld({ counts: found, delivered }: FilteredRun, counts: MutableCounts): void {
  const { carried, duplicates, stale, forked, invalid } = found;
  counts.carried += carried;
  counts.duplicate += duplicates;
  counts.stale += stale;
  counts.forked += forked;
  counts.invalid += invalid;
  counts.records += delivered.length + carried + duplicates + stale + forked + invalid;
}
