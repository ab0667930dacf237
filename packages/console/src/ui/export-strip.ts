import type { ExportRow } from '../core/export-line.ts';
import { newRows } from '../core/export-line.ts';
import { formatClock, formatLateness, shortId } from '../core/format.ts';
import type { FeedState } from '../export-feed.ts';
import { showBadge } from './buffer-panel.ts';
import { byId, el, setText } from './dom.ts';

/** From here on an event counts as late for the eye; for rules, the exact figure is in every line. */
const LATE_MS = 10_000;
const ROWS_MAX = 60;

/** The last exported events, newest first; those that were not there before slide in. */
export function exportStrip(): (state: FeedState) => void {
  const list = byId('feed');
  let shown: readonly ExportRow[] = [];
  return ({ rows, reach }) => {
    showBadge(byId('feed-badge'), BADGES[reach]);
    // Lines that were there before this page are history: only what arrives under the reader's eyes moves.
    const arrived = shown.length === 0 ? new Set<string>() : newRows(shown, rows);
    if (rows !== shown) {
      list.replaceChildren(...rows.slice(0, ROWS_MAX).map((row) => feedRow(row, arrived.has(row.id))));
    }
    shown = rows;
    list.hidden = rows.length === 0;
    byId('feed-empty').hidden = rows.length > 0;
    setText(byId('feed-empty'), EMPTY[reach]);
  };
}

const BADGES = {
  waiting: { tone: 'busy', label: 'Connecting' },
  live: { tone: 'ok', label: 'Live' },
  unreachable: { tone: 'hold', label: 'Cut off' },
} as const;

const EMPTY = {
  waiting: 'Asking the exporter.',
  live: 'Nothing has been exported yet.',
  unreachable: 'This page cannot reach the exporter now. What the SIEM has already is not affected.',
} as const;

function feedRow(row: ExportRow, isNew: boolean): HTMLElement {
  const late = row.latenessMs >= LATE_MS;
  const action = el(
    'p',
    { class: 'feed-action' },
    el('b', {}, row.action),
    ' ',
    ...(row.revocation === null ? [] : [revocationMark(row.revocation), ' ']),
    el('span', {}, row.about),
  );
  const lateness = el(
    'p',
    { class: 'feed-late', 'data-late': String(late), title: 'Time between the event and its reception' },
    late ? `${formatLateness(row.latenessMs)} late` : formatLateness(row.latenessMs),
  );
  const times = el(
    'p',
    { class: 'feed-times' },
    'occurred ',
    el('time', { datetime: row.occurred }, formatClock(row.occurred)),
    ', received ',
    el('time', { datetime: row.received }, formatClock(row.received)),
  );
  const place = el(
    'p',
    { class: 'feed-place', title: `Device ${row.device}, entry ${row.index} of its log` },
    `${shortId(row.device, 6)} #${row.index}`,
  );
  return el(
    'li',
    {
      class: isNew ? 'feed-row is-new' : 'feed-row',
      'data-testid': 'export-row',
      'data-id': row.id,
      'data-action': row.action,
    },
    action,
    lateness,
    times,
    place,
  );
}

/** Where the event stands to the revocation of its device, by its time bounds. */
function revocationMark(mark: string): HTMLElement {
  const title = `Of a revoked device: ${MARKS[mark] ?? mark}`;
  return el('span', { class: 'feed-mark', 'data-mark': mark, title }, mark);
}

const MARKS: Readonly<Record<string, string>> = {
  before: 'it happened before the revocation',
  straddles: 'it may have happened before or after the revocation',
  after: 'it happened after the revocation',
};
