import type { BufferStatus } from '@tachograph/client-buffer';
import type { ExportRow } from '../core/export-line.ts';
import { formatClock, formatCount, formatLateness } from '../core/format.ts';
import type { JournalEntry } from '../core/journal.ts';
import { byId, el, setText } from './dom.ts';
import { icon } from './icons.ts';

export type Evidence = {
  readonly entry: JournalEntry;
  readonly status: BufferStatus;
  /** The entry's line in the export, where the strip has it. */
  readonly exported: ExportRow | null;
};

/** Opens the drawer over one entry: what proves it, or why nothing does yet. */
export function receiptDrawer(): (evidence: Evidence) => void {
  const drawer = byId('receipt-drawer');
  if (!(drawer instanceof HTMLDialogElement)) throw new Error('#receipt-drawer is a dialog');
  const close = byId('drawer-close');
  close.append(icon('close'));
  close.addEventListener('click', () => drawer.close());
  // A click on the backdrop has the dialog itself as its target.
  drawer.addEventListener('click', (event) => {
    if (event.target === drawer) drawer.close();
  });
  return (evidence) => {
    const { entry } = evidence;
    setText(byId('drawer-title'), entry.state === 'accepted' ? 'Receipt' : 'No receipt yet');
    setText(byId('drawer-sub'), `${entry.action} ${entry.target}`);
    byId('drawer-body').replaceChildren(lead(entry), facts(evidence), ...note(evidence));
    if (!drawer.open) drawer.showModal();
  };
}

const LEADS = {
  recording: { tone: 'hold', icon: 'clock', sentence: 'Its transaction has not completed yet.' },
  durable: {
    tone: 'hold',
    icon: 'clock',
    sentence: 'Signed and stored in this browser. It leaves only after a receipt over it has verified.',
  },
  accepted: {
    tone: 'ok',
    icon: 'check',
    sentence: 'Ingest’s cosignature verified: this entry was durably appended, in its place.',
  },
  rejected: {
    tone: 'bad',
    icon: 'close',
    sentence: 'It keeps its place in the log, but is not taken for an event.',
  },
  failed: { tone: 'bad', icon: 'close', sentence: 'It did not become durable, so the action was refused.' },
} as const;

function lead({ state }: JournalEntry): HTMLElement {
  const { tone, icon: name, sentence } = LEADS[state];
  return el('p', { class: 'drawer-lead', 'data-tone': tone }, icon(name), sentence);
}

type Fact = { readonly name: string; readonly value: string; readonly isCode?: true };

function facts({ entry, status: { origin, receipt }, exported }: Evidence): HTMLElement {
  const list: Fact[] = [
    { name: 'Recorded', value: localAndExact(entry.time) },
    { name: 'Event', value: entry.id, isCode: true },
  ];
  if (entry.index !== undefined) list.push({ name: 'Index', value: formatCount(entry.index) });
  if (entry.origin !== undefined) list.push({ name: 'Log', value: entry.origin, isCode: true });
  if (exported?.leafHash) list.push({ name: 'Leaf hash', value: exported.leafHash, isCode: true });
  if (entry.receivedBefore !== undefined)
    list.push({
      name: 'Cosigned at',
      // A cosignature has whole seconds: digits after them would be made up.
      value: localAndExact(new Date(entry.receivedBefore * 1000).toISOString().replace('.000', '')),
    });
  if (entry.state === 'accepted' && receipt !== null && entry.origin === origin)
    list.push({
      name: 'Cosigned size',
      value: `${formatCount(receipt.size)}, so index ${entry.index} is below it`,
    });
  if (exported !== null)
    list.push({
      name: 'Lateness',
      value: `${formatLateness(exported.latenessMs)} from occurrence to reception`,
    });
  if (entry.code !== undefined) list.push({ name: 'Code', value: entry.code, isCode: true });
  return el(
    'dl',
    { class: 'facts' },
    ...list.flatMap(({ name, value, isCode }) => [
      el('dt', {}, name),
      el('dd', isCode ? { class: 'is-code' } : {}, value),
    ]),
  );
}

/** The receipt itself: the newest one covers every accepted entry of its log. */
function note({ entry, status: { origin, receipt } }: Evidence): HTMLElement[] {
  if (entry.state !== 'accepted' || receipt === null || entry.origin !== origin) return [];
  return [
    el(
      'section',
      { 'aria-labelledby': 'note-title' },
      el('h3', { class: 'note-title', id: 'note-title' }, 'Cosigned checkpoint'),
      el(
        'p',
        { class: 'panel-sub' },
        'Log, size and root, then the device’s signature and that of ingest (C2SP signed note).',
      ),
      el('pre', { class: 'note', 'data-testid': 'receipt-note', tabindex: '0' }, receipt.checkpoint),
    ),
  ];
}

function localAndExact(time: string): string {
  return `${formatClock(time)} (${time})`;
}
