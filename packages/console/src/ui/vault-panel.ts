import { VAULTS, type Vault, type VaultItem } from '../core/vault.ts';
import { byId, el, setText } from './dom.ts';
import { icon, type IconName } from './icons.ts';

export type ItemAction = 'reveal' | 'copy' | 'share' | 'export';

/** Carries out an action on an item; `false` means that it must not happen, because its entry did not become durable. */
export type UseItem = (action: ItemAction, vault: Vault, item: VaultItem) => Promise<boolean>;

const ACTIONS: readonly { action: ItemAction; label: string; icon: IconName }[] = [
  { action: 'reveal', label: 'Reveal', icon: 'eye' },
  { action: 'copy', label: 'Copy', icon: 'copy' },
  { action: 'share', label: 'Share', icon: 'share' },
  { action: 'export', label: 'Export', icon: 'export' },
];
const MASK = '••••••';
const REVEALED_MS = 6_000;

export function showVaults(useItem: UseItem): void {
  byId('vault-list').append(
    ...VAULTS.flatMap((vault) => [
      el('h3', { class: 'vault-name' }, vault.name),
      el('ul', { class: 'vault-items' }, ...vault.items.map((item) => itemRow(vault, item, useItem))),
    ]),
  );
}

function itemRow(vault: Vault, item: VaultItem, useItem: UseItem): HTMLElement {
  const secret = el('span', { class: 'item-secret', 'data-testid': `secret-${item.id}` }, MASK);
  const row = el(
    'li',
    { class: 'item' },
    el('span', { class: 'item-tile' }, icon(item.kind)),
    el(
      'div',
      {},
      el('p', { class: 'item-name' }, item.name),
      el('p', { class: 'item-login' }, el('span', { class: 'item-username' }, item.username), secret),
    ),
  );
  const reveal = revealer(row, secret, item);
  const perform = async (action: ItemAction): Promise<void> => {
    const done = await useItem(action, vault, item);
    if (done && action === 'reveal') reveal.show();
  };
  const buttons = ACTIONS.map(({ action, label, icon: name }) => {
    const button = el(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        title: label,
        'aria-label': `${label} ${item.name}`,
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
  row.append(el('div', { class: 'item-actions' }, ...buttons));
  return row;
}

function revealer(row: HTMLElement, secret: HTMLElement, item: VaultItem) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const set = (shown: boolean): void => {
    clearTimeout(timer);
    setText(secret, shown ? item.secret : MASK);
    secret.classList.toggle('is-revealed', shown);
    row.classList.toggle('is-revealed', shown);
    row.querySelector('button')?.setAttribute('aria-pressed', String(shown));
    if (shown) timer = setTimeout(() => set(false), REVEALED_MS);
  };
  return {
    show: () => set(true),
    /** Whether there was something to hide. */
    hide: (): boolean => {
      const wasShown = row.classList.contains('is-revealed');
      if (wasShown) set(false);
      return wasShown;
    },
  };
}
