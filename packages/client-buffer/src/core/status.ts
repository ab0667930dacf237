import type { BufferState, Ledger } from '../audit-buffer.ts';
import type { Step } from '../step.ts';
import type { Rows } from './rows.ts';

/** What the state is made of. */
export type StateFacts = {
  readonly phase: 'opening' | 'open' | 'failed' | 'closed';
  readonly storeDurable: boolean;
  readonly enrolling: boolean;
  readonly lastStep: Step | null;
  readonly rows: Rows;
};

export function stateOf(facts: StateFacts): BufferState {
  if (facts.phase !== 'open') return facts.phase;
  if (!facts.storeDurable) return 'memory-only';
  if (facts.enrolling) return 'enrolling';
  const { log, enrolment } = facts.rows;
  const status = enrolment?.device === log?.device ? enrolment?.status : undefined;
  switch (status) {
    case 'revoked':
      return 'revoked';
    case 'pending_approval':
      return 'pending-approval';
    case 'enrolled':
    case 'quarantined':
      return connectionOf(facts);
    default:
      // A successor enrols by itself; whether that works is a matter of the connection.
      return status === 'none' && enrolment?.succession ? connectionOf(facts) : 'recording-only';
  }
}

/** What the exchanges say. A page may call itself offline and reach ingest all the same, as on a host without a network. */
function connectionOf({ lastStep }: StateFacts): BufferState {
  if (lastStep?.kind === 'setback') return lastStep.cause === 'refused' ? 'refused' : 'offline';
  return lastStep?.kind === 'progress' || lastStep?.kind === 'idle' || lastStep?.kind === 'claimed'
    ? 'online'
    : 'offline';
}

/** The counts, with what this tab has in memory. */
export function ledgerOf({ log, totals }: Rows, waiting: number, unwritten: number): Ledger {
  return {
    recorded: totals.recorded + waiting + unwritten,
    waiting,
    durable: totals.durable,
    accepted: totals.accepted,
    rejected: totals.rejected,
    pending: log === null ? 0 : log.head.range.size - log.base.range.size,
    gap: totals.gap + unwritten,
    lost: totals.lost,
    pendingBytes: log === null ? 0 : log.head.bytes - log.base.bytes,
  };
}
