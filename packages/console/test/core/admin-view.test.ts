import { describe, expect, it } from '@jest/globals';
import type { BufferStatus } from '@tachograph/client-buffer';
import { adminView, isOver, type AdminFacts } from '../../src/core/admin-view.ts';

const PURGED = { state: 'purged', scopes: ['*'] } as const;

function facts(
  state: BufferStatus['state'],
  more: Partial<Omit<AdminFacts, 'status'>> & { purge?: BufferStatus['purge']; pending?: number } = {},
): AdminFacts {
  const { purge = null, pending = 0, offline = false, revokedAt = null } = more;
  return { status: { state, purge, ledger: { pending } }, offline, revokedAt };
}

describe('the corner of the administrator', () => {
  it('revokes a device that is enrolled, whether it is online or not', () => {
    for (const state of ['online', 'offline', 'refused', 'pending-approval'] as const)
      expect(adminView(facts(state)).action).toBe('revoke');
  });

  it('has nothing to revoke before the device is known, and nothing twice', () => {
    for (const state of ['opening', 'recording-only', 'enrolling'] as const)
      expect(adminView(facts(state)).action).toBeNull();
    const at = '2026-11-23T10:00:00.000Z';
    expect(adminView(facts('online', { revokedAt: at })).action).toBeNull();
    expect(adminView(facts('online', { revokedAt: at, offline: true })).sentence).toContain('offline');
  });

  it('starts over only when all is destroyed and all is told', () => {
    expect(adminView(facts('revoked', { purge: PURGED })).action).toBe('start-over');
    for (const pending of [facts('revoked', { purge: PURGED, pending: 1 }), facts('revoked')])
      expect(adminView(pending).action).toBeNull();
    // A cache that destroyed itself is no revocation.
    expect(isOver(facts('online', { purge: PURGED }).status)).toBe(false);
    expect(adminView(facts('revoked', { purge: { state: 'purging', scopes: ['*'] } })).action).toBeNull();
  });
});
