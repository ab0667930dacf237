/** What the picture of an item shows. */
const ITEM_KINDS = ['database', 'cloud', 'key', 'bank', 'people', 'card', 'wifi', 'globe', 'mail'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** What the list shows of an item. Nothing of it is in the page: it comes from the server, and then from the cache. */
export type ItemSummary = {
  readonly id: string;
  readonly kind: ItemKind;
  readonly name: string;
  readonly username: string;
};

export type VaultItem = ItemSummary & {
  /** Made up for the demo: it opens nothing, and it never enters an audit event. */
  readonly secret: string;
};

export type Vault = { readonly id: string; readonly name: string; readonly items: readonly VaultItem[] };

/** Who uses the demo. */
export const ACTOR = { id: 'u_7', email: 'ana@acme.example', name: 'Ana Ruiz' } as const;

/** The vaults in the answer of `POST api/vault`, or `null` where it is something else. */
export function parseVaults(value: unknown): readonly Vault[] | null {
  const { vaults } = members(value);
  if (!Array.isArray(vaults)) return null;
  const parsed = vaults.map(parseVault);
  return parsed.some((vault) => vault === null) ? null : parsed.filter((vault) => vault !== null);
}

/** An item as it was sealed into the cache, or `null` where it is something else. */
export function parseItem(value: unknown): VaultItem | null {
  const { id, kind, name, username, secret } = members(value);
  const known = ITEM_KINDS.find((one) => one === kind);
  if (known === undefined || !isText(id) || !isText(name) || !isText(username) || !isText(secret))
    return null;
  return { id, kind: known, name, username, secret };
}

function parseVault(value: unknown): Vault | null {
  const { id, name, items } = members(value);
  if (!isText(id) || !isText(name) || !Array.isArray(items)) return null;
  const parsed = items.map(parseItem);
  if (parsed.some((item) => item === null)) return null;
  return { id, name, items: parsed.filter((item) => item !== null) };
}

function members(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
