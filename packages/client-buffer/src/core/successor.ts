import { bytesEqual, rootOf } from '@tachograph/wire';
import type { Bytes, DeviceId, Origin, SuccessionReason } from '@tachograph/wire';
import type { Change, Identity, Snapshot } from '../log-store.ts';
import type { CacheRow } from './cache-row.ts';
import { advance, leavesFrom, packBlocks } from './blocks.ts';
import { newLog, START, type Ancestor, type Gap, type LogRow } from './rows.ts';

export type Succession = {
  /** The log that is given up. If it is no longer the present one, another tab has won and nothing is done. */
  readonly from: DeviceId;
  readonly identity: Identity;
  readonly origin: Origin;
  readonly reason: SuccessionReason;
  /** Signed by the old key; it enrols the new one. */
  readonly note: string;
  readonly nowMs: number;
  readonly openedLeaf: (data: { predecessor: Origin; carriedFrom: number; count: number }) => Bytes;
  readonly gapLeaf: (gap: Gap) => Bytes;
};

/**
 * Opens the log that goes on in place of a forked, rolled-back or damaged one. Entries without a receipt are carried
 * over byte for byte behind `log.opened`: the first of them has index 1. Nothing is carried that does not lead from the
 * receipt to the head of the old log: entries edited in storage are never signed, they are declared as a gap.
 */
export function planSuccessor({ rows, blocks }: Snapshot, succession: Succession): Change<LogRow | null> {
  const { log, totals, cache } = rows;
  if (log === null || log.device !== succession.from) return { result: log };
  const carriedFrom = log.base.range.size;
  const found = leavesFrom(blocks, carriedFrom) ?? [];
  // Storage may have been edited since a pass last verified it, whatever the reason for giving the log up.
  const whole = bytesEqual(rootOf(advance(log.base, found).range), rootOf(log.head.range));
  const carried = succession.reason === 'corrupt' || !whole ? [] : found;
  const lost = log.head.range.size - carriedFrom - carried.length;
  const { device } = succession.identity;
  const opened = succession.openedLeaf({ predecessor: log.origin, carriedFrom, count: carried.length });
  const gap: Gap | null =
    lost > 0
      ? { count: lost, from: lastGoodTime(log), to: succession.nowMs, reason: succession.reason }
      : null;
  const leaves = [opened, ...carried, ...(gap === null ? [] : [succession.gapLeaf(gap)])];
  const own = leaves.length - carried.length;
  const ancestor: Ancestor = {
    device: log.device,
    origin: log.origin,
    successor: device,
    carriedFrom,
    count: carried.length,
    receipt: log.receipt,
    rejected: log.rejected,
  };
  const successor: LogRow = {
    ...newLog(
      { device, origin: succession.origin, publicKey: succession.identity.publicKey },
      succession.nowMs,
    ),
    head: advance(START, leaves),
    lineage: [...log.lineage, ancestor],
    // A fork does not take a revocation back: what is left is sent, and nothing more is recorded.
    ...(log.closed ? { closed: true } : {}),
  };
  return {
    result: successor,
    identity: succession.identity,
    rows: {
      log: successor,
      enrolment: { device, status: 'none', challenge: null, succession: succession.note },
      // The lease stays: it lets the successor use nothing, but its end is still that of the cache.
      cache: cache === null ? null : inherit(cache, lost),
      claim: null,
      totals: {
        ...totals,
        recorded: totals.recorded + own,
        durable: totals.durable + own,
        lost: totals.lost + lost,
      },
    },
    drop: { device: log.device, size: Infinity },
    append: packBlocks(device, 0, leaves),
  };
}

/**
 * An order that is open stays so: the successor goes on over the same cache. With entries a report may be lost: what is
 * ordered again is carried out again, and said again.
 */
function inherit(cache: CacheRow, lost: number): CacheRow {
  return { ...cache, epoch: cache.epoch + 1, done: lost > 0 ? [] : cache.done };
}

/** No damaged entry can have been recorded before this. */
function lastGoodTime({ receipt, openedAt }: LogRow): number {
  return receipt === null ? openedAt : receipt.time * 1000;
}
