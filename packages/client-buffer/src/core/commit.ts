import type { Bytes } from '@tachograph/wire';
import { AuditBufferError } from '../errors.ts';
import type { Change } from '../log-store.ts';
import { advance, packBlocks } from './blocks.ts';
import type { Gap, LogRow, Rows, Totals } from './rows.ts';

/** Leaves of one group commit and when each was recorded (milliseconds since the epoch). */
export type Leaves = { readonly leaves: readonly Bytes[]; readonly times: readonly number[] };

export type CommitOptions = {
  readonly bytesMax: number;
  readonly whenFull: 'gap' | 'reject';
  /** Events that were lost in memory since the last commit, because the store failed. */
  readonly unwritten: Gap | null;
  /** Events that were refused in memory since the last commit, and are only counted. */
  readonly told: number;
  readonly gapLeaf: (gap: Gap) => Bytes;
};

/** Leaf `i` of the group has index `first + i`, for the first `count` of them; the others did not fit. */
export type Committed = { readonly log: LogRow; readonly first: number; readonly count: number };

/** Plans one group commit: what fits is appended, what does not is counted, and a gap is declared once there is room. */
export function planCommit(rows: Rows, group: Leaves, options: CommitOptions): Change<Committed> {
  const { log } = rows;
  if (log === null) throw new AuditBufferError('ERR_STORAGE', 'the store holds no log');
  if (log.closed) throw revokedError();
  const room = options.bytesMax - (log.head.bytes - log.base.bytes);
  const known = mergeGaps(rows.gap, options.unwritten);
  const declared = known === null ? null : options.gapLeaf(known);
  // An event that fits takes precedence over saying that others did not.
  const declaredBytes = declared === null ? 0 : declared.length + 1;
  const first = group.leaves[0];
  const declares = declared !== null && declaredBytes + (first === undefined ? 0 : first.length + 1) <= room;
  const count = howManyFit(group.leaves, room - (declares ? declaredBytes : 0));
  const refused = gapOf(group.times.slice(count), 'full');
  const leaves = [...(declares ? [declared] : []), ...group.leaves.slice(0, count)];
  const gap = declares ? refused : mergeGaps(known, refused);
  const placed: LogRow = leaves.length === 0 ? log : { ...log, head: advance(log.head, leaves) };
  return {
    result: { log: placed, first: log.head.range.size + (declares ? 1 : 0), count },
    rows: {
      log: placed,
      // Whoever fails closed was told already, by each event's own promise.
      gap: options.whenFull === 'gap' ? gap : declares ? null : known,
      totals: countCommit(rows.totals, {
        asked: group.leaves.length + (declares ? 1 : 0) + (options.unwritten?.count ?? 0) + options.told,
        durable: leaves.length,
      }),
    },
    append: packBlocks(log.device, log.head.range.size, leaves),
  };
}

/** What `record` says once the log is closed. */
export function revokedError(): AuditBufferError {
  return new AuditBufferError('ERR_DEVICE_REVOKED', 'this device was revoked: its log is closed');
}

function howManyFit(leaves: readonly Bytes[], room: number): number {
  let left = room;
  for (let i = 0; i < leaves.length; i++) {
    left -= leaves[i]!.length + 1;
    if (left < 0) return i;
  }
  return leaves.length;
}

function countCommit(totals: Totals, { asked, durable }: { asked: number; durable: number }): Totals {
  return {
    ...totals,
    recorded: totals.recorded + asked,
    durable: totals.durable + durable,
    gap: totals.gap + asked - durable,
  };
}

/** The data of `buffer.gap`. */
export function gapData({ count, from, to, reason }: Gap) {
  return { count, from: new Date(from).toISOString(), to: new Date(to).toISOString(), reason };
}

/** The events recorded at `times` as a gap, or `null` where there are none. */
export function gapOf(times: readonly number[], reason: string): Gap | null {
  if (times.length === 0) return null;
  let [from, to] = [times[0]!, times[0]!];
  for (const time of times) [from, to] = [Math.min(from, time), Math.max(to, time)];
  return { count: times.length, from, to, reason };
}

export function mergeGaps(a: Gap | null, b: Gap | null): Gap | null {
  if (a === null || b === null) return a ?? b;
  return {
    count: a.count + b.count,
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    reason: a.reason === b.reason ? a.reason : 'several',
  };
}
