import { formatClock } from '../core/format.ts';
import type { EntryState, Journal, JournalEntry } from '../core/journal.ts';
import { byId, el, setText } from './dom.ts';
import { actionIcon, icon } from './icons.ts';

const STATE_WORDS: Readonly<Record<EntryState, string>> = {
  recording: 'recording',
  durable: 'queued',
  accepted: 'accepted',
  rejected: 'rejected',
  failed: 'failed',
};

/** The recent entries, newest first. Rows are kept and only their state is rewritten. */
export function entryList(onOpen: (id: string) => void): (journal: Journal) => void {
  const list = byId('entries');
  const rows = new Map<string, HTMLElement>();

  return (journal) => {
    byId('entries-empty').hidden = journal.length > 0;
    list.hidden = journal.length === 0;
    const gone = new Set(rows.keys());
    let previous: HTMLElement | null = null;
    for (const entry of journal) {
      gone.delete(entry.id);
      const row = rows.get(entry.id) ?? entryRow(entry, onOpen);
      rows.set(entry.id, row);
      updateState(row, entry);
      const place: Element | null = previous === null ? list.firstElementChild : previous.nextElementSibling;
      if (place !== row) list.insertBefore(row, place);
      previous = row;
    }
    for (const id of gone) {
      rows.get(id)?.remove();
      rows.delete(id);
    }
  };
}

function entryRow(entry: JournalEntry, onOpen: (id: string) => void): HTMLElement {
  const button = el(
    'button',
    { type: 'button', class: 'entry', 'data-testid': 'entry' },
    icon(actionIcon(entry.action)),
    el('span', { class: 'entry-what' }, el('b', {}, entry.action), ' ', el('span', {}, entry.target)),
    el('time', { datetime: entry.time }, formatClock(entry.time)),
    el('span', { class: 'entry-state' }),
  );
  button.addEventListener('click', () => onOpen(entry.id));
  return el('li', {}, button);
}

function updateState(row: HTMLElement, entry: JournalEntry): void {
  const state = row.querySelector<HTMLElement>('.entry-state');
  if (state === null || state.dataset['state'] === entry.state) return;
  state.dataset['state'] = entry.state;
  setText(state, STATE_WORDS[entry.state]);
}
