import type { ItemKind } from '../core/vault.ts';
import { svg } from './dom.ts';

/** Paths on a grid of 20, stroked. */
const PATHS = {
  database:
    'M4 5.5c0-1.4 2.7-2.5 6-2.5s6 1.1 6 2.5S13.3 8 10 8 4 6.9 4 5.5v9c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5v-9M4 10c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5',
  cloud: 'M6.2 15.5a3.7 3.7 0 0 1-.5-7.36 4.6 4.6 0 0 1 8.8-.9 4.15 4.15 0 0 1-.6 8.26Z',
  key: 'M12.8 3a4.2 4.2 0 1 1-4 5.5M8.8 8.5 3 14.3V17h2.7v-2h2v-2h1.8l1.4-1.5M13.6 6.4h.01',
  bank: 'M3 8 10 3.5 17 8ZM5 8v6M8.3 8v6M11.7 8v6M15 8v6M3 16.5h14',
  people:
    'M7.3 9.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM2.5 16.2c.3-2.7 2.2-4.2 4.8-4.2s4.5 1.5 4.8 4.2M13 4.2a2.7 2.7 0 0 1 0 5M14.3 12.2c1.8.5 2.9 1.9 3.2 4',
  card: 'M2.5 6.5a2 2 0 0 1 2-2h11a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2ZM2.5 8.5h15M5.5 12.5h3',
  wifi: 'M2.5 7.8a11 11 0 0 1 15 0M5 10.7a7.3 7.3 0 0 1 10 0M7.5 13.5a3.6 3.6 0 0 1 5 0M10 16.3h.01',
  globe: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM3 10h14M10 3c2 2 3 4.3 3 7s-1 5-3 7c-2-2-3-4.3-3-7s1-5 3-7Z',
  mail: 'M2.5 6.5a2 2 0 0 1 2-2h11a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2ZM3 6l7 5 7-5',
  eye: 'M2 10c1.8-3.3 4.5-5 8-5s6.2 1.7 8 5c-1.8 3.3-4.5 5-8 5s-6.2-1.7-8-5ZM10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  copy: 'M7.5 9a1.5 1.5 0 0 1 1.5-1.5h6.5A1.5 1.5 0 0 1 17 9v6.5a1.5 1.5 0 0 1-1.5 1.5H9a1.5 1.5 0 0 1-1.5-1.5ZM12.5 7.5v-3A1.5 1.5 0 0 0 11 3H4.5A1.5 1.5 0 0 0 3 4.5V11a1.5 1.5 0 0 0 1.5 1.5h3',
  share:
    'M14.5 7.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM5.5 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM14.5 17.1a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM7.6 8.9l4.8-2.6M7.6 11.1l4.8 2.6',
  export: 'M10 3v9M6.5 8.7 10 12.2l3.5-3.5M3.5 13.5v2a1.5 1.5 0 0 0 1.5 1.5h10a1.5 1.5 0 0 0 1.5-1.5v-2',
  shield: 'M10 2.7 16 5v4.5c0 3.8-2.4 6.4-6 7.8-3.6-1.4-6-4-6-7.8V5ZM10 7v3.3M10 13h.01',
  lock: 'M6 9V6.5a4 4 0 0 1 8 0V9M5 9h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1ZM10 12v2',
  bolt: 'M11 2.5 4.5 11.5H9l-.5 6 7-9.5H11Z',
  check: 'M4.5 10.5 8.3 14.3 15.5 6.5',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6.2V10l2.6 1.7',
  close: 'M5 5l10 10M15 5 5 15',
  log: 'M5 3.5h7l3 3v10H5ZM7.5 9.5h5M7.5 12.5h5',
} as const satisfies Record<ItemKind | 'eye', string> & Record<string, string>;

export type IconName = keyof typeof PATHS;

/** An icon that says nothing by itself: the control around it has the name. */
export function icon(name: IconName): SVGSVGElement {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true' },
    svg('path', { d: PATHS[name] }),
  );
}

/** The picture of a recorded action. */
export function actionIcon(action: string): IconName {
  switch (action) {
    case 'item.reveal':
      return 'eye';
    case 'item.copy':
      return 'copy';
    case 'item.share':
      return 'share';
    case 'item.export':
      return 'export';
    case 'signin.attempt':
      return 'shield';
    default:
      return 'log';
  }
}

/** The link between two panels: whole, or broken in the middle. CSS shows one of them. */
export function linkPicture(): SVGSVGElement {
  return svg(
    'svg',
    { viewBox: '0 0 34 18' },
    svg('path', { class: 'link-whole link-wire', d: 'M4 9h24' }),
    svg('path', { class: 'link-whole', d: 'M23.5 4.5 28.5 9l-5 4.5' }),
    svg('path', { class: 'link-break', d: 'M3 9h8M23 9h8M14.5 5.5l5 7M19.5 5.5l-5 7' }),
  );
}
