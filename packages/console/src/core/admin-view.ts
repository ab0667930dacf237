import type { BufferStatus } from '@tachograph/client-buffer';
import { formatClock } from './format.ts';

export type AdminFacts = {
  readonly status: Pick<BufferStatus, 'state' | 'purge'> & { readonly ledger: { readonly pending: number } };
  readonly offline: boolean;
  /** When the button of this page revoked this device, RFC 3339. */
  readonly revokedAt: string | null;
};

export type AdminView = {
  readonly sentence: string;
  /** What the button does now; `null`: nothing. */
  readonly action: 'revoke' | 'start-over' | null;
};

/** Whether nothing is left here and everything was told: then this browser may begin anew, as a new device. */
export function isOver({ state, purge, ledger }: AdminFacts['status']): boolean {
  return state === 'revoked' && purge?.state === 'purged' && ledger.pending === 0;
}

/** What the administrator's corner says, and what can be done there. */
export function adminView({ status, offline, revokedAt }: AdminFacts): AdminView {
  if (isOver(status))
    return { sentence: 'The device has confirmed it: its cache is destroyed.', action: 'start-over' };
  if (status.state === 'revoked' || status.purge?.state === 'purging')
    return { sentence: 'The device knows, and is destroying its cache.', action: null };
  if (revokedAt !== null) {
    const next = offline
      ? 'The device is offline and hears of it at its next contact.'
      : 'The device hears of it at its next check-in or upload.';
    return { sentence: `Revoked at ${formatClock(revokedAt)}, purge signed. ${next}`, action: null };
  }
  if (status.state === 'recording-only' || status.state === 'enrolling' || status.state === 'opening')
    return { sentence: 'This browser is not enrolled yet.', action: null };
  return {
    sentence: 'By the control API, from elsewhere.',
    action: 'revoke',
  };
}
