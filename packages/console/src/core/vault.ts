/** What the picture of an item shows. */
export type ItemKind = 'database' | 'cloud' | 'key' | 'bank' | 'people' | 'card' | 'wifi' | 'globe' | 'mail';

export type VaultItem = {
  readonly id: string;
  readonly kind: ItemKind;
  readonly name: string;
  readonly username: string;
  /** Made up for the demo: it opens nothing, and it never enters an audit event. */
  readonly secret: string;
};

export type Vault = { readonly id: string; readonly name: string; readonly items: readonly VaultItem[] };

/** Who uses the demo. */
export const ACTOR = { id: 'u_7', email: 'ana@acme.example', name: 'Ana Ruiz' } as const;

export const VAULTS: readonly Vault[] = [
  {
    id: 'v_production',
    name: 'Production',
    items: [
      item('i_11', 'database', 'Orders database', 'orders_rw', 'demo-Velvet-Quarry-92'),
      item('i_12', 'cloud', 'Cloud root account', 'root@acme.example', 'demo-Harbour-Lantern-07'),
      item('i_13', 'key', 'Payments API key', 'acct_live_acme', 'demo-sk-51Kd0-example'),
      item('i_14', 'globe', 'Domain registrar', 'hostmaster', 'demo-Cobalt-Meadow-33'),
    ],
  },
  {
    id: 'v_finance',
    name: 'Finance',
    items: [
      item('i_21', 'bank', 'Company bank', 'acme-treasury', 'demo-Willow-Signet-58'),
      item('i_22', 'people', 'Payroll', 'payroll-admin', 'demo-Ember-Orchard-14'),
      item('i_23', 'card', 'Corporate card', 'A. Ruiz', '4000 0000 0000 0002'),
    ],
  },
  {
    id: 'v_office',
    name: 'Office',
    items: [
      item('i_31', 'wifi', 'Office Wi-Fi', 'acme-staff', 'demo-tin-otter-paper-sky'),
      item('i_32', 'mail', 'Press mailbox', 'press@acme.example', 'demo-Marble-Finch-41'),
    ],
  },
];

function item(id: string, kind: ItemKind, name: string, username: string, secret: string): VaultItem {
  return { id, kind, name, username, secret };
}

/** Every item with its vault, in the order of the page. */
export const ITEMS: readonly { readonly vault: Vault; readonly item: VaultItem }[] = VAULTS.flatMap((vault) =>
  vault.items.map((one) => ({ vault, item: one })),
);
