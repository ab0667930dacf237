import type { Actor } from '@tachograph/wire';
import type { AdminGrant } from '../http/route.ts';

/** The actor of what the control role does by itself. */
export const CONTROL_ACTOR: Actor = { id: 'tachograph/control', type: 'service' };

/** Who an administrator is in the tenant's log: the token, by its id. */
export function actorOf(admin: AdminGrant | null): Actor {
  return admin === null ? CONTROL_ACTOR : { id: `admin-token/${admin.id}`, type: 'administrator' };
}
