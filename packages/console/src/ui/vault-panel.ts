import type { ItemSummary } from '../core/vault.ts';
import { listName, type CachedItem, type VaultState } from '../core/vault-state.ts';
import { byId, el, setText } from './dom.ts';
import { icon, type IconName } from './icons.ts';

export type ItemAction = 'reveal' | 'copy' | 'share' | 'export';

/** Carries out an action on an item, and answers its secret; `null` means that it must not happen. */
export type UseItem = (action: ItemAction, item: CachedItem) => Promise<string | null>;

const ACTIONS: readonly { action: ItemAction; label: string; icon: IconName }[] = [
  { action: 'reveal', label: 'Reveal', icon: 'eye' },
  { action: 'copy', label: 'Copy', icon: 'copy' },
  { action: 'share', label: 'Share', icon: 'share' },
  { action: 'export', label: 'Export', icon: 'export' },
];
const MASK = '••••••';
const REVEALED_MS = 6_000;
const VAULT_NAMES: Readonly<Record<string, string>> = {
  v_production: 'Production',
  v_finance: 'Finance',
  v_office: 'Office',
};

/** The list of the vault: readable rows while the lease lasts, ciphertext without it, and nothing after a purge. */
export function vaultPanel(useItem: UseItem): (state: VaultState, online: boolean) => void {
  const list = byId('vault-list');
  let drawn = '';
  byId('vault-gone').prepend(el('span', { class: 'vault-gone-tile' }, icon('shield')));
  return (state, online) => {
    byId('vault-gone').hidden = state.items.length > 0;
    list.hidden = state.items.length === 0;
    setText(byId('vault-gone-text'), emptySentence(state, online));
    const name = listName(state);
    if (name === drawn) return;
    drawn = name;
    const scopes = [...new Set(state.items.map(({ scope }) => scope))];
    list.replaceChildren(
      ...scopes.flatMap((scope) => [
        el('h3', { class: 'vault-name' }, VAULT_NAMES[scope] ?? scope),
        el(
          'ul',
          { class: 'vault-items' },
          ...state.items.filter((item) => item.scope === scope).map((item) => row(item, useItem)),
        ),
      ]),
    );
  };
}

function emptySentence({ access }: VaultState, online: boolean): string {
  if (access === null || access.allowed) return 'The vault is on its way into the cache.';
  switch (access.reason) {
    case 'no-lease':
      return online
        ? 'Without a lease nothing is cached: the policy of the tenant says so.'
        : 'The vault comes with the first lease: this browser enrols by itself as soon as it is online.';
    case 'revoked':
      return 'Nothing of the vault is left in this browser, neither items nor keys.';
    case 'purged':
      return 'The cache destroyed itself. Once this browser is online, a new lease brings the vault back.';
    default:
      return 'Nothing is cached.';
  }
}

function row(item: CachedItem, useItem: UseItem): HTMLElement {
  return item.summary === null ? lockedRow(item) : openRow(item, item.summary, useItem);
}

function lockedRow({ id, cipher }: CachedItem): HTMLElement {
  return el(
    'li',
    { class: 'item is-locked', 'data-testid': `locked-${id}` },
    el('span', { class: 'item-tile' }, icon('lock')),
    el('p', { class: 'item-cipher', 'aria-label': 'Locked item', title: 'As it lies on the disk' }, cipher),
  );
}

function openRow(item: CachedItem, summary: ItemSummary, useItem: UseItem): HTMLElement {
  const secret = el('span', { class: 'item-secret', 'data-testid': `secret-${item.id}` }, MASK);
  const element = el(
    'li',
    { class: 'item' },
    el('span', { class: 'item-tile' }, icon(summary.kind)),
    el(
      'div',
      {},
      el('p', { class: 'item-name' }, summary.name),
      el('p', { class: 'item-login' }, el('span', { class: 'item-username' }, summary.username), secret),
    ),
  );
  const reveal = revealer(element, secret);
  const perform = async (action: ItemAction): Promise<void> => {
    const text = await useItem(action, item);
    if (text !== null && action === 'reveal') reveal.show(text);
  };
  const buttons = ACTIONS.map(({ action, label, icon: name }) => {
    const button = el(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        title: label,
        'aria-label': `${label} ${summary.name}`,
        'data-testid': `${action}-${item.id}`,
      },
      icon(name),
    );
    button.addEventListener('click', () => {
      // A second click on an open secret hides it: nothing is shown anew, so nothing is recorded.
      if (action === 'reveal' && reveal.hide()) return;
      void perform(action);
    });
    return button;
  });
  element.append(el('div', { class: 'item-actions' }, ...buttons));
  return element;
}

function revealer(element: HTMLElement, secret: HTMLElement) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const set = (text: string | null): void => {
    clearTimeout(timer);
    setText(secret, text ?? MASK);
    secret.classList.toggle('is-revealed', text !== null);
    element.classList.toggle('is-revealed', text !== null);
    element.querySelector('button')?.setAttribute('aria-pressed', String(text !== null));
    if (text !== null) timer = setTimeout(() => set(null), REVEALED_MS);
  };
  return {
    show: (text: string) => set(text),
    /** Whether there was something to hide. */
    hide: (): boolean => {
      const wasShown = element.classList.contains('is-revealed');
      if (wasShown) set(null);
      return wasShown;
    },
  };
}
