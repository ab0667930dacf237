import { HEADER, LogFilter, type EventLog, type FilteredRun, type StateChanges } from '@tachograph/event-log';
import type { ReceiptSeconds } from '../../engine/receipts.ts';
import type { FeedItem, FeedSource } from '../feed-entry.ts';

/**
 * The ordered log itself, behind the log-order filter as every reader has it: repeats of whole appends are not doubled
 * entries. What the filter finds is told beside the entries.
 */
export function logSource(log: EventLog, name: string, receiptSeconds: ReceiptSeconds): FeedSource {
  return {
    name,
    isOrdered: true,
    async *items() {
      const { partitions } = await log.describe();
      for (let partition = 0; partition < partitions; partition++) {
        const { oldest, next } = await log.offsets(partition);
        const state = new Map<string, string>();
        const filter = new LogFilter({ partition, receiptSeconds, reader: readerOf(state) });
        for await (const records of log.readRange(partition, oldest, next)) {
          const batch = await filter.read(records);
          store(state, batch.changes);
          filter.committed(batch.next);
          yield batch.runs.flatMap(itemsOf);
        }
      }
    },
  };
}

/** Entries that a successor carried over are there in the log: so they are read as any other. */
function itemsOf({ append, outcome, alarms, counts }: FilteredRun): FeedItem[] {
  const notices = alarms.map(({ kind, origin, at }): FeedItem => {
    return { kind: 'notice', action: kind, origin, place: placeOf(at) };
  });
  if (append === null || outcome !== 'accepted') return notices;
  const entries = append.records.slice(counts.duplicates).map((record): FeedItem => {
    const { headers, value } = record;
    return {
      kind: 'entry',
      entry: {
        origin: append.origin,
        index: Number(headers[HEADER.sequence]),
        leaf: value,
        claimedHash: null,
        edge: headers[HEADER.edge] ?? null,
        checkpoint: headers[HEADER.checkpoint] ?? null,
        action: headers[HEADER.type] ?? '',
        place: placeOf(record),
      },
    };
  });
  return [...notices, ...entries];
}

function placeOf({ partition, offset }: { readonly partition: number; readonly offset: number }): string {
  return `partition ${partition}, offset ${offset}`;
}

function readerOf(state: ReadonlyMap<string, string>) {
  return {
    load: async (_partition: number, keys: readonly string[]) => {
      const found = new Map<string, string>();
      for (const key of keys) {
        const value = state.get(key);
        if (value !== undefined) found.set(key, value);
      }
      return found;
    },
  };
}

function store(state: Map<string, string>, changes: StateChanges): void {
  for (const [key, value] of changes) {
    if (value === null) state.delete(key);
    else state.set(key, value);
  }
}
