/**
 * Where one entry is on its road. `recording`: the transaction has not completed. `durable`: signed and stored
 * in this browser. `accepted`: a receipt covers it. `rejected`: it keeps its place in the log, but ingest does
 * not take it for an event. `failed`: it never became durable.
 */
export type EntryState = 'recording' | 'durable' | 'accepted' | 'rejected' | 'failed';

/** What the list shows of one recorded entry. It is a view: the log itself is the buffer's. */
export type JournalEntry = {
  readonly id: string;
  readonly action: string;
  readonly target: string;
  /** RFC 3339. */
  readonly time: string;
  readonly state: EntryState;
  /** The log and the place in it, once durable. */
  readonly origin?: string;
  readonly index?: number;
  /** POSIX seconds: ingest had it before then. */
  readonly receivedBefore?: number;
  /** The code of a failure or a rejection. */
  readonly code?: string;
};

/** Newest first. */
export type Journal = readonly JournalEntry[];

/** How many entries the page follows; the buffer itself knows no such limit. */
export const JOURNAL_ENTRIES_MAX = 60;

export function journalAdd(journal: Journal, entry: JournalEntry): Journal {
  return [entry, ...journal].slice(0, JOURNAL_ENTRIES_MAX);
}

export type JournalMove = Pick<JournalEntry, 'state'> &
  Partial<Pick<JournalEntry, 'origin' | 'index' | 'receivedBefore' | 'code'>>;

/** Moves one entry forward; an entry that has left the list is ignored, and nothing ever moves back. */
export function journalMove(journal: Journal, id: string, move: JournalMove): Journal {
  return journal.map((entry) =>
    entry.id === id && RANK[move.state] > RANK[entry.state] ? { ...entry, ...move } : entry,
  );
}

/**
 * Marks what a receipt over the first `size` leaves of `origin` covers. Entries of earlier page loads have no
 * promise that could say so.
 */
export function journalSettle(
  journal: Journal,
  origin: string,
  receipt: { readonly size: number; readonly time: number },
): Journal {
  if (!journal.some((entry) => isCovered(entry, origin, receipt.size))) return journal;
  return journal.map((entry) =>
    isCovered(entry, origin, receipt.size)
      ? { ...entry, state: 'accepted', receivedBefore: receipt.time }
      : entry,
  );
}

function isCovered(entry: JournalEntry, origin: string, size: number): boolean {
  return (
    entry.state === 'durable' && entry.origin === origin && entry.index !== undefined && entry.index < size
  );
}

const RANK: Readonly<Record<EntryState, number>> = {
  recording: 0,
  durable: 1,
  accepted: 2,
  rejected: 2,
  failed: 2,
};

/** When the oldest entry that waits was recorded, as far as the list reaches back; else `since`. */
export function oldestWaiting(journal: Journal, pending: number, since: string | null): string | null {
  if (pending === 0) return null;
  const waiting = journal.filter((entry) => entry.state === 'durable');
  return waiting.length >= pending ? (waiting.at(-1)?.time ?? since) : since;
}

export function journalText(journal: Journal): string {
  // What was still recording when the page went may never have become durable: it is not remembered.
  return JSON.stringify(journal.filter((entry) => entry.state !== 'recording'));
}

/** The stored list, or an empty one where nothing readable is stored: losing the view loses no event. */
export function parseJournal(text: string | null): Journal {
  if (text === null) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isJournalEntry).slice(0, JOURNAL_ENTRIES_MAX) : [];
  } catch {
    // Only malformed JSON can throw here, and the list starts again.
    return [];
  }
}

function isJournalEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Record<string, unknown>;
  return (
    [entry['id'], entry['action'], entry['target'], entry['time']].every((one) => typeof one === 'string') &&
    typeof entry['state'] === 'string' &&
    Object.hasOwn(RANK, entry['state'])
  );
}
