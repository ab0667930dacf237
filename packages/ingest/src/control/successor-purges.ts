import type { ControlContext } from '../api-context.ts';
import type { LogKey } from '../registry/heads.ts';
import type { Db } from '../registry/registry.ts';
import { CONTROL_ACTOR } from './actor.ts';
import { scopesOf } from '../core/purge-scopes.ts';
import { revokeDevice } from './revocation.ts';

const PAGE = 100;

/**
 * Sees to devices that came behind a revocation: a successor that enrolled in the same moment is revoked, and one
 * whose predecessor still had to purge gets an order of its own, since a directive is good for one log only.
 * @returns how many there were
 */
export async function orderForSuccessors(context: ControlContext): Promise<number> {
  const { registry, clock, tenantLog } = context;
  const left = await successorsLeft(registry.db);
  for (const { reason, predecessor, ...key } of left) {
    const scopes = await openScopes(registry.db, { tenant: key.tenant, device: predecessor });
    await revokeDevice(context, key, {
      reason: reason ?? 'its predecessor is revoked',
      scopes,
      actor: CONTROL_ACTOR,
      at: clock(),
    });
  }
  if (left.length > 0) tenantLog.wake();
  return left.length;
}

type Left = LogKey & { readonly predecessor: string; readonly reason: string | null };

async function successorsLeft(db: Db): Promise<Left[]> {
  const rows = await db
    .selectFrom('devices as next')
    .innerJoin('devices as old', (join) =>
      join.onRef('old.tenant', '=', 'next.tenant').onRef('old.device', '=', 'next.predecessor'),
    )
    .select(['next.tenant', 'next.device', 'old.device as predecessor', 'old.revocation_reason as reason'])
    .where('old.status', '=', 'revoked')
    .where((eb) => {
      const open = eb
        .selectFrom('directives')
        .select('directives.id')
        .whereRef('directives.tenant', '=', 'old.tenant')
        .whereRef('directives.device', '=', 'old.device')
        .where('directives.confirmed_at', 'is', null);
      const own = eb
        .selectFrom('directives')
        .select('directives.id')
        .whereRef('directives.tenant', '=', 'next.tenant')
        .whereRef('directives.device', '=', 'next.device');
      return eb.or([eb('next.status', '<>', 'revoked'), eb.and([eb.exists(open), eb.not(eb.exists(own))])]);
    })
    .orderBy('next.enrolled_at')
    .limit(PAGE)
    .execute();
  return rows;
}

/** What the open directives of a device order together. */
async function openScopes(db: Db, { tenant, device }: LogKey): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('directives')
    .select('note')
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .where('confirmed_at', 'is', null)
    .execute();
  const scopes = [...new Set(rows.flatMap(({ note }) => scopesOf(note)))];
  return scopes.includes('*') ? ['*'] : scopes;
}
