import type { OfflineAccess } from './audit-buffer.ts';
import { accessUnder, touchLease } from './core/lease.ts';
import type { CoreParts } from './core-parts.ts';

/** Looks at the lease and at both clocks, and keeps what was seen. `stepped` says that the clock was just found set back. */
export function readOfflineAccess(
  { state, boot, adapters }: CoreParts,
  scope: string,
): Promise<{ access: OfflineAccess; stepped: boolean }> {
  const { clock } = adapters;
  const now = { wallMs: clock.wallMs(), boot, monotonicMs: clock.monotonicMs() };
  return state.transact<{ access: OfflineAccess; stepped: boolean }>(({ rows: { lease, enrolment } }) => {
    if (enrolment?.status === 'revoked')
      return { result: { access: { allowed: false, reason: 'revoked' }, stepped: false } };
    if (lease === null) return { result: { access: accessUnder(null, scope, now.wallMs), stepped: false } };
    const touched = touchLease(lease, now);
    const access = accessUnder(touched, scope, now.wallMs);
    return { result: { access, stepped: touched.stepped && !lease.stepped }, rows: { lease: touched } };
  });
}
