import { parseExportLine, type ExportRow } from './core/export-line.ts';
import { nextPollMs } from './core/poll.ts';

/** What the strip shows: newest first, and whether the last poll reached the exporter. */
export type FeedState = {
  readonly rows: readonly ExportRow[];
  readonly reach: 'waiting' | 'live' | 'unreachable';
};

/** The exporter needs a moment after ingest has answered. */
const WAKE_MS = 300;

export type ExportFeed = {
  /** Something is on its way: asks soon, and again quickly for a while. */
  readonly wake: () => void;
  /** The exported line of an event, while it is among the last ones. */
  readonly find: (eventId: string) => ExportRow | null;
};

/** Polls the last lines that the exporter wrote: quickly while lines arrive, gently while nothing does. */
export function followExport(onChange: (state: FeedState) => void): ExportFeed {
  let state: FeedState = { rows: [], reach: 'waiting' };
  let history = { quiet: 0, failures: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let polling = false;
  /** Whether a wake has brought the next poll forward already. */
  let awake = false;

  const poll = async (): Promise<void> => {
    if (polling) return;
    polling = true;
    awake = false;
    clearTimeout(timer);
    const rows = await fetchRows();
    polling = false;
    take(rows);
    timer = setTimeout(() => void poll(), nextPollMs(history));
  };
  const take = (rows: readonly ExportRow[] | null): void => {
    if (rows === null) {
      history = { quiet: 0, failures: history.failures + 1 };
      publish({ rows: state.rows, reach: 'unreachable' });
    } else if (rows[0]?.id === state.rows[0]?.id && rows.length === state.rows.length) {
      history = { quiet: history.quiet + 1, failures: 0 };
      publish({ rows: state.rows, reach: 'live' });
    } else {
      history = { quiet: 0, failures: 0 };
      publish({ rows, reach: 'live' });
    }
  };
  const publish = (next: FeedState): void => {
    if (next.rows === state.rows && next.reach === state.reach) return;
    state = next;
    onChange(state);
  };

  void poll();
  return {
    wake: () => {
      history = { quiet: 0, failures: 0 };
      if (awake) return;
      awake = true;
      clearTimeout(timer);
      timer = setTimeout(() => void poll(), WAKE_MS);
    },
    find: (eventId) => state.rows.find((row) => row.eventId === eventId) ?? null,
  };
}

async function fetchRows(): Promise<readonly ExportRow[] | null> {
  try {
    const answer = await fetch('./api/export', { cache: 'no-store' });
    if (!answer.ok) return null;
    const { lines } = (await answer.json()) as { lines?: unknown };
    if (!Array.isArray(lines)) return null;
    return lines
      .map((line) => (typeof line === 'string' ? parseExportLine(line) : null))
      .filter((row) => row !== null)
      .toReversed();
  } catch (error) {
    // No connection, or something that is not the server answered in its place.
    if (error instanceof TypeError || error instanceof SyntaxError || error instanceof DOMException)
      return null;
    throw error;
  }
}
