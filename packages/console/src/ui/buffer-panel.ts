import type { BufferStatus } from '@tachograph/client-buffer';
import { badgeOf, type Badge } from '../core/badge.ts';
import { formatAge, formatBytes, formatCount, shortId } from '../core/format.ts';
import { addSample, drawSamples, type Sample } from '../core/sparkline.ts';
import { byId, setText, svg } from './dom.ts';
import { linkPicture } from './icons.ts';

const WINDOW_MS = 60_000;
const [WIDTH, HEIGHT] = [240, 56];

export type BufferView = {
  readonly status: BufferStatus;
  readonly switchedOff: boolean;
  /** When the oldest entry that waits was recorded, RFC 3339. */
  readonly oldest: string | null;
  readonly now: number;
};

/** The figures of the buffer: badge, switch, queue, ledger, and the links to its neighbours. */
export function bufferPanel(onSwitch: (off: boolean) => void): (view: BufferView) => void {
  const offlineSwitch = byId('offline-switch');
  offlineSwitch.addEventListener('click', () =>
    onSwitch(offlineSwitch.getAttribute('aria-checked') !== 'true'),
  );
  byId('link-app').append(linkPicture());
  byId('link-server').append(linkPicture());
  const drawQueue = sparkline();

  return ({ status, switchedOff, oldest, now }) => {
    const { ledger } = status;
    const badge = badgeOf(status, switchedOff);
    showBadge(byId('state-badge'), badge);
    byId('state-badge').dataset['state'] = status.state;
    setText(byId('state-sentence'), badge.sentence);
    offlineSwitch.setAttribute('aria-checked', String(switchedOff));
    byId('buffer').dataset['offline'] = String(switchedOff || status.state === 'offline');
    setText(byId('count-pending'), formatCount(ledger.pending));
    setText(byId('queue-unit'), ledger.pending === 1 ? 'entry waits' : 'entries wait');
    setText(byId('queue-bytes'), formatBytes(ledger.pendingBytes));
    setText(byId('queue-oldest'), oldest === null ? '—' : formatAge(now - Date.parse(oldest)));
    for (const name of ['recorded', 'durable', 'accepted', 'rejected'] as const) {
      setText(byId(`count-${name}`), formatCount(ledger[name]));
    }
    byId('link-server').dataset['state'] = linkState(status, switchedOff);
    setText(byId('device-line'), deviceLine(status));
    drawQueue(ledger.pending, now);
  };
}

export function showBadge(element: HTMLElement, { tone, label }: Pick<Badge, 'tone' | 'label'>): void {
  element.dataset['tone'] = tone;
  setText(element, label);
}

function linkState({ state, ledger }: BufferStatus, switchedOff: boolean): string {
  if (switchedOff || state === 'offline') return 'cut';
  return state === 'online' && ledger.pending > 0 ? 'moving' : 'still';
}

function deviceLine({ origin }: BufferStatus): string {
  if (origin === null) return '';
  return `This browser is device ${shortId(origin.slice(origin.lastIndexOf('/') + 1), 12)}`;
}

function sparkline(): (pending: number, now: number) => void {
  const area = svg('path', { class: 'sparkline-area' });
  const line = svg('path', { class: 'sparkline-line' });
  byId('sparkline').append(area, line);
  let samples: readonly Sample[] = [];
  return (pending, now) => {
    if (samples.at(-1)?.pending !== pending) samples = addSample(samples, { at: now, pending }, WINDOW_MS);
    const picture = drawSamples(samples, now, WINDOW_MS, WIDTH, HEIGHT);
    area.setAttribute('d', picture.area);
    line.setAttribute('d', picture.line);
  };
}
