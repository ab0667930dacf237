import { z } from 'zod';

const text = z.string().min(1).max(1024);

/** What kind of thing an action is: it decides the class or category in the SIEM formats. */
export type ActionKind = 'sign-in' | 'item-usage' | 'admin-change' | 'lifecycle' | 'detection';

export type CatalogueEntry = { readonly kind: ActionKind; readonly title: string; readonly data: z.ZodType };

const client = z.looseObject({
  app_name: text.optional(),
  app_version: text.optional(),
  platform_name: text.optional(),
  platform_version: text.optional(),
  os_name: text.optional(),
  os_version: text.optional(),
  ip_address: text.optional(),
});

const SIGN_IN_CATEGORIES = [
  'success',
  'credentials_failed',
  'mfa_failed',
  'sso_failed',
  'modern_version_failed',
  'firewall_failed',
  'firewall_reported_success',
] as const;

const signIn = z.looseObject({
  category: z.enum(SIGN_IN_CATEGORIES).optional(),
  type: text.optional(),
  details: z.unknown().optional(),
  client: client.optional(),
});

const itemUsage = z.looseObject({
  vault: text.optional(),
  usedVersion: z.int().nonnegative().optional(),
  client: client.optional(),
});

const adminChange = z.looseObject({
  objectType: text.optional(),
  objectId: text.optional(),
  auxId: text.optional(),
  auxInfo: text.optional(),
});

const anything = z.looseObject({});

function usage(title: string): CatalogueEntry {
  return { kind: 'item-usage', title, data: itemUsage };
}
function admin(title: string): CatalogueEntry {
  return { kind: 'admin-change', title, data: adminChange };
}
function lifecycle(title: string, data: z.ZodType = anything): CatalogueEntry {
  return { kind: 'lifecycle', title, data };
}
function detection(title: string, data: z.ZodType = anything): CatalogueEntry {
  return { kind: 'detection', title, data };
}

/** Well-known actions, with the type of their `data`. An app may record any other action beside them. */
export const CATALOGUE = {
  'signin.attempt': { kind: 'sign-in', title: 'A sign-in was tried', data: signIn },
  'item.fill': usage('An item was filled into a form'),
  'item.reveal': usage('A secret of an item was shown'),
  'item.copy': usage('A secret of an item was copied'),
  'item.edit': usage('An item was opened for editing'),
  'item.share': usage('An item was shared'),
  'item.export': usage('An item was exported'),
  'item.create': usage('An item was created'),
  'item.update': usage('An item was changed'),
  'item.fetch': usage('An item was fetched by a service'),
  'item.sso': usage('An item was used to choose a sign-in provider'),
  'user.create': admin('A user was created'),
  'user.suspend': admin('A user was suspended'),
  'user.reactivate': admin('A user was reactivated'),
  'user.delete': admin('A user was deleted'),
  'group.create': admin('A group was created'),
  'group.update': admin('A group was changed'),
  'group.delete': admin('A group was deleted'),
  'vault.grant': admin('Access to a vault was granted'),
  'vault.revoke': admin('Access to a vault was taken back'),
  'log.opened': lifecycle(
    'A device opened a log',
    z.looseObject({
      predecessor: text.optional(),
      carriedFrom: z.int().nonnegative().optional(),
      count: z.int().nonnegative().optional(),
    }),
  ),
  'log.closed': lifecycle('A device closed its log'),
  'buffer.gap': detection(
    'A device could not keep some events',
    z.looseObject({
      count: z.int().nonnegative().nullable(),
      from: z.iso.datetime({ precision: 3 }),
      to: z.iso.datetime({ precision: 3 }),
      reason: text,
    }),
  ),
  'clock.stepped': detection('The clock of a device was set back'),
  'lease.expired': lifecycle('The lease of a device ended'),
  'cache.inventory': lifecycle('A device listed what it holds offline'),
  'cache.purge_started': lifecycle('A device began to destroy its offline cache'),
  'cache.purged': lifecycle('A device attests that its offline cache is destroyed'),
  'cache.purge_failed': lifecycle('A device could not destroy its offline cache yet'),
} as const satisfies Record<string, CatalogueEntry>;

export type CatalogueAction = keyof typeof CATALOGUE;
