import { randomUUID } from 'node:crypto';
import { originOf, PURGE_NOTE, signStatement, type DeviceId, type TenantId } from '@tachograph/wire';
import type { ControlContext } from '../api-context.ts';
import type { LogKey } from '../registry/heads.ts';

/** A signed order to destroy what a device has cached. */
export type Directive = { readonly id: string; readonly note: string; readonly scopes: readonly string[] };

export type PurgeOrder = { readonly scopes: readonly string[]; readonly reason: string };

/** Signs an order for one log. With two directive keys, while they are exchanged, both sign. */
export async function signPurge(
  { config, directives }: Pick<ControlContext, 'config' | 'directives'>,
  { tenant, device }: LogKey,
  { scopes, reason }: PurgeOrder,
  issued: number,
): Promise<Directive> {
  const id = randomUUID();
  // Rows of the registry hold names that were parsed when they came in.
  const origin = originOf(config.authority, tenant as TenantId, device as DeviceId);
  const note = await signStatement(PURGE_NOTE, { origin, id, scopes, reason, issued }, ...directives);
  return { id, note, scopes };
}
