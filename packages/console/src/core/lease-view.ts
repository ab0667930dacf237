import type { OfflineRefusal } from '@tachograph/client-buffer';
import { assertNever } from '@tachograph/wire';
import { formatCountdown } from './format.ts';
import type { VaultState } from './vault-state.ts';

export type LeaseView = {
  readonly tone: 'ok' | 'busy' | 'hold' | 'bad';
  readonly title: string;
  /** Minutes and seconds that count down, or nothing. */
  readonly left: string;
  /** How much of what counts down is left, 0 to 1. */
  readonly share: number;
  readonly sentence: string;
};

export type LeaseFacts = {
  readonly vault: VaultState;
  /** Whether the latest exchange with ingest succeeded. */
  readonly online: boolean;
  readonly now: number;
};

/** The lease in a line, a countdown and a sentence: what may be read, until when, or why not. */
export function leaseView({ vault, online, now }: LeaseFacts): LeaseView {
  const { access, lease } = vault;
  if (access === null) return still('busy', 'Offline access', 'The library is asked what the lease allows.');
  if (!access.allowed) return refused(access.reason, { vault, online, now });
  const leftMs = Math.max(0, access.until.getTime() - now);
  const counting = {
    left: formatCountdown(leftMs),
    share: Math.min(1, leftMs / Math.max(1, lease?.spanMs ?? leftMs)),
  };
  const sentence = online
    ? 'Renewed at each check-in. Offline it runs out.'
    : 'At zero the cache locks; later it is destroyed.';
  return { tone: online ? 'ok' : 'hold', title: 'Readable offline for', sentence, ...counting };
}

/** Why an item may not be read, as a sentence. */
export function refusalSentence(reason: OfflineRefusal | 'absent'): string {
  return reason === 'absent' ? 'Refused: it is not on this device' : `Refused: ${WHY[reason]}`;
}

const WHY: Readonly<Record<OfflineRefusal, string>> = {
  purging: 'the cache is being destroyed',
  purged: 'the cache was destroyed',
  revoked: 'this device was revoked',
  'no-lease': 'this device has no lease',
  'clock-stepped': 'the clock was set back',
  expired: 'the lease has ended',
  scope: 'the lease does not reach it',
};

function refused(reason: OfflineRefusal, { vault, online, now }: LeaseFacts): LeaseView {
  const { items, lease } = vault;
  switch (reason) {
    case 'purging':
      return still('bad', 'Being destroyed', 'The keys are gone already; the items follow.');
    case 'revoked':
      return items.length > 0
        ? still('bad', 'Revoked', 'Nothing can be read; the cache is being destroyed.')
        : still('bad', 'Destroyed', 'Revoked: see cache.purged in the feed.');
    case 'purged':
      return still('bad', 'Destroyed', 'Over for too long. The next lease opens it again.');
    case 'no-lease':
      return online
        ? still('bad', 'No lease', 'The policy grants this device none.')
        : still('busy', 'No lease yet', 'The first contact brings one, and the vault.');
    case 'clock-stepped':
      return still('bad', 'Locked', 'The clock was set back. Go online for a new lease.');
    case 'scope':
      return still('bad', 'Locked', 'The lease does not reach this vault.');
    case 'expired':
      return expired(lease === null ? 0 : lease.wipeAt - now, lease?.spanMs ?? 1);
    default:
      return assertNever(reason);
  }
}

function expired(wipeMs: number, spanMs: number): LeaseView {
  const sentence = 'No contact in time: go online before that.';
  if (wipeMs <= 0) return still('bad', 'Locked', 'No contact in time: the lease ended. Go online.');
  const share = Math.min(1, wipeMs / spanMs);
  return { tone: 'bad', title: 'Locked, destroyed in', left: formatCountdown(wipeMs), share, sentence };
}

function still(tone: LeaseView['tone'], title: string, sentence: string): LeaseView {
  return { tone, title, left: '', share: 0, sentence };
}
