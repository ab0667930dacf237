import type { Actor } from '@tachograph/wire';
import type { AdminGrant } from '../http/route.ts';

/** Who an administrator is in the tenant's log: the token, by its id. */
export function actorOf(admin: AdminGrant | null): Actor {
  return admin === null
    ? { id: 'tachograph/control', type: 'service' }
    : { id: `admin-token/${admin.id}`, type: 'administrator' };
}
