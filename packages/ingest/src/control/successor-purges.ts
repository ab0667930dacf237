import type { ControlContext } from '../api-context.ts';
import { covers, scopesOf } from '../core/purge-scopes.ts';
import type { LogKey } from '../registry/heads.ts';
import type { Db } from '../registry/registry.ts';
import { CONTROL_ACTOR } from './actor.ts';
import { revokeDevice } from './revocation.ts';

const PAGE = 500;
/** By how much the clocks of two nodes may differ, one of which revokes a device while the other enrols its successor. */
const SAME_MOMENT_MS = 60_000;

/**
 * Sees to devices that came behind a revocation. A successor that nobody has let in yet, or that enrolled in the same
 * moment, is revoked: whoever holds the revoked key could make it. One that an administrator let in before is not,
 * since that was decided about it. A revoked one gets an order of its own for what its predecessor was ordered and it
 * was not, since a directive is good for one log only, and a copy's store is another one.
 * @returns how many there were
 */
export async function orderForSuccessors(context: ControlContext): Promise<number> {
  const { registry, clock, tenantLog } = context;
  let found = 0;
  for (let after: LogKey | null = null; ;) {
    const page = await successorsOfRevoked(registry.db, after);
    for (const successor of page) {
      const scopes = await scopesLeft(registry.db, successor);
      const { tenant, device, status, reason } = successor;
      if (status === 'revoked' && scopes.length === 0) continue;
      await revokeDevice(
        context,
        { tenant, device },
        { reason: reason ?? 'its predecessor is revoked', scopes, actor: CONTROL_ACTOR, at: clock() },
      );
      found++;
    }
    after = page.at(-1) ?? null;
    if (page.length < PAGE || after === null) break;
  }
  if (found > 0) tenantLog.wake();
  return found;
}

/** Successors that may still be to be revoked, or be ordered what their predecessors were. */
export async function successorsOfRevoked(db: Db, after: LogKey | null) {
  return (
    db
      .selectFrom('devices as next')
      .innerJoin('devices as old', (join) =>
        join.onRef('old.tenant', '=', 'next.tenant').onRef('old.device', '=', 'next.predecessor'),
      )
      .select([
        'next.tenant',
        'next.device',
        'next.status',
        'next.enrolled_at',
        'old.device as predecessor',
        'next.revoked_at',
        'old.revocation_reason as reason',
      ])
      .where('old.status', '=', 'revoked')
      // A log that has ended takes no order, and its device has destroyed everything.
      .where('next.log_closed_at', 'is', null)
      .where((eb) =>
        eb.or([
          eb('next.status', 'in', ['quarantined', 'pending_approval']),
          eb.and([
            eb('next.status', '=', 'enrolled'),
            eb('next.enrolled_at', '>=', eb('old.revoked_at', '-', SAME_MOMENT_MS)),
          ]),
          eb.and([
            eb('next.status', '=', 'revoked'),
            eb.exists(
              eb
                .selectFrom('directives')
                .select('directives.id')
                .whereRef('directives.tenant', '=', 'old.tenant')
                .whereRef('directives.device', '=', 'old.device'),
            ),
          ]),
        ]),
      )
      .$if(after !== null, (all) =>
        all.where((eb) =>
          eb(eb.refTuple('next.tenant', 'next.device'), '>', eb.tuple(after!.tenant, after!.device)),
        ),
      )
      .orderBy('next.tenant')
      .orderBy('next.device')
      .limit(PAGE)
      .execute()
  );
}

type Successor = Awaited<ReturnType<typeof successorsOfRevoked>>[number];

/** What the predecessor of a device was ordered to destroy and the device itself was not. */
async function scopesLeft(db: Db, successor: Successor): Promise<readonly string[]> {
  const { tenant, device, predecessor, enrolled_at: enrolledAt, revoked_at: revokedAt } = successor;
  const rows = await db
    .selectFrom('directives')
    .select(['device', 'note', 'issued_at', 'confirmed_at'])
    .where('tenant', '=', tenant)
    .where('device', 'in', [device, predecessor])
    .execute();
  // What was carried out before the successor left is destroyed in its store as well.
  const left = rows.filter(
    (row) => row.device === predecessor && (row.confirmed_at === null || row.confirmed_at >= enrolledAt),
  );
  // As for any order: what a device confirmed before it was revoked says nothing of what it cached since.
  const own = rows.filter(
    (row) =>
      row.device === device &&
      (row.confirmed_at === null || (revokedAt !== null && row.issued_at >= revokedAt)),
  );
  const ordered = own.flatMap(({ note }) => scopesOf(note));
  const scopes = [...new Set(left.flatMap(({ note }) => scopesOf(note)))];
  const missing = scopes.filter((scope) => !covers(ordered, [scope]));
  return missing.includes('*') ? ['*'] : missing;
}
