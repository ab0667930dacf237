import type { BufferStatus } from '@tachograph/client-buffer';
import { assertNever } from '@tachograph/wire';

type Tone = 'ok' | 'busy' | 'hold' | 'bad';

/** The buffer's state in two words and a sentence. */
export type Badge = { readonly tone: Tone; readonly label: string; readonly sentence: string };

type Seen = {
  readonly state: BufferStatus['state'];
  readonly ledger: Pick<BufferStatus['ledger'], 'pending'>;
  readonly problem: BufferStatus['problem'];
};

/**
 * What the badge says. The switch goes first: the library only learns of it at its next request, the reader at once.
 *
 * @param switchedOff whether the page's own switch keeps requests from leaving
 */
export function badgeOf(status: Seen, switchedOff: boolean): Badge {
  const { state, ledger, problem } = status;
  switch (state) {
    case 'opening':
      return badge('busy', 'Opening', 'Recording works already and waits for the store.');
    case 'memory-only':
      return badge('bad', 'Memory only', 'This browser stores nothing: entries live as long as the page.');
    case 'revoked':
      return badge('bad', 'Revoked', revoked(ledger));
    case 'failed':
      return badge('bad', 'Failed', problem?.detail ?? 'Nothing is recorded.');
    case 'closed':
      return badge('hold', 'Closed', 'Entries stay; opening the page goes on.');
    case 'refused':
      return badge('bad', 'Refused', problem?.detail ?? 'Ingest refuses this device; the queue is kept.');
    case 'recording-only':
    case 'enrolling':
    case 'pending-approval':
    case 'online':
    case 'offline':
      return switchedOff || state === 'offline' ? holding(ledger.pending) : connected(state, ledger.pending);
    default:
      return assertNever(state);
  }
}

function revoked({ pending: count }: Seen['ledger']): string {
  return count > 0
    ? 'What it holds is still uploaded, and marked.'
    : 'Everything is uploaded; its key is destroyed, and it records nothing more.';
}

function holding(pending: number): Badge {
  return pending === 0
    ? badge('hold', 'Offline', 'Recording goes on: entries are signed and kept in this browser.')
    : badge('hold', 'Offline, holding', 'Signed and kept here. Reload or close the tab: they stay.');
}

function connected(
  state: 'recording-only' | 'enrolling' | 'pending-approval' | 'online',
  pending: number,
): Badge {
  if (state === 'online') {
    return pending === 0
      ? badge('ok', 'Up to date', 'Every entry has a receipt that verified.')
      : badge('busy', 'Sending', 'In order; an entry stays here until its receipt verifies.');
  }
  if (state === 'enrolling') return badge('busy', 'Enrolling', 'The device’s key is being made known.');
  if (state === 'pending-approval')
    return badge('hold', 'Waiting for approval', 'An administrator has not approved this device yet.');
  return badge('hold', 'Not enrolled yet', 'Recording works already; everything waits and counts.');
}

function badge(tone: Tone, label: string, sentence: string): Badge {
  return { tone, label, sentence };
}
