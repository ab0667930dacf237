import { appendLeaves, bytesEqual, rootOf, type Bytes, type CompactRange } from '@tachograph/wire';
import type { LoggedAppend } from './append.ts';

/** Leaf hashes of a device's log from `from.size` on, with the range at which they begin. */
export type LeafWindow = { readonly from: CompactRange; readonly hashes: readonly Bytes[] };

/** What a reader needs to decide further, beyond the state it has loaded. */
export type Evidence = {
  /** Loaded when a decision answered `needs: 'window'`. */
  readonly window?: LeafWindow;
  /** Set when a decision answered `needs: 'receipt'`: whether ingest's cosignature on the append's receipt verifies. */
  readonly receiptVerifies?: boolean;
};

/** What the log-order filter makes of one append. */
export type Decision =
  /** The records from `deliverFrom` on continue the log; `next` is the state after them. */
  | {
      readonly kind: 'accepted';
      readonly deliverFrom: number;
      /** The range at the first delivered record. */
      readonly base: CompactRange;
      readonly next: CompactRange;
      /** Indices that this reader never saw and that ingest had acknowledged: `log.gap`, raised once. */
      readonly gap: { readonly from: number; readonly to: number } | null;
    }
  /** Everything in it has been delivered already. */
  | { readonly kind: 'duplicate' }
  /** Cannot follow the state and proves nothing: a zombie's late append. Counted, not delivered. */
  | { readonly kind: 'stale'; readonly reason: 'before-window' | 'ahead' }
  /** The device signed another history: raised, not delivered. `index` is the first leaf that differs. */
  | { readonly kind: 'fork'; readonly index: number }
  /** The records do not reproduce their own checkpoint: never written by ingest. Raised, not delivered. */
  | { readonly kind: 'invalid' }
  /** Call again with this evidence. */
  | { readonly kind: 'needs'; readonly what: 'window' | 'receipt' };

/**
 * The log-order filter: accepts whole appends, so that what comes out is exactly each device's log, once and in
 * order, whatever zombies, retries and forks the topic holds. Pure: `state` is the range of the device's log as
 * delivered so far, `null` for a device that this reader has never seen.
 */
export function decide(state: CompactRange | null, append: LoggedAppend, evidence: Evidence = {}): Decision {
  const { edge, leafHashes, checkpoint } = append;
  const after = appendLeaves(edge, leafHashes);
  if (after.size !== checkpoint.size || !bytesEqual(rootOf(after), checkpoint.root))
    return { kind: 'invalid' };
  const known = state ?? { size: 0, hashes: [] };
  if (edge.size === known.size && sameRange(edge, known)) return accepted(0, edge, after, null);
  if (edge.size >= known.size) return beyond(state, append, after, evidence);
  return behind(known, append, after, evidence);
}

/** The edge is ahead of the state, or contradicts it: only ingest's own cosignature vouches for it. */
function beyond(
  state: CompactRange | null,
  append: LoggedAppend,
  after: CompactRange,
  evidence: Evidence,
): Decision {
  const { edge, receipt } = append;
  if (receipt === null || receipt.size !== edge.size || !bytesEqual(receipt.root, rootOf(edge))) {
    return edge.size === (state?.size ?? 0)
      ? { kind: 'fork', index: edge.size }
      : { kind: 'stale', reason: 'ahead' };
  }
  if (evidence.receiptVerifies === undefined) return { kind: 'needs', what: 'receipt' };
  if (!evidence.receiptVerifies) return { kind: 'stale', reason: 'ahead' };
  // A reader without state starts here; one with state has missed what lies between.
  return accepted(0, edge, after, state === null ? null : { from: state.size, to: edge.size });
}

/** The edge lies behind the state: a retry, a zombie or a fork. */
function behind(
  state: CompactRange,
  append: LoggedAppend,
  after: CompactRange,
  evidence: Evidence,
): Decision {
  const { edge, leafHashes } = append;
  const { window } = evidence;
  if (window === undefined) return { kind: 'needs', what: 'window' };
  const skip = edge.size - window.from.size;
  if (skip < 0) return { kind: 'stale', reason: 'before-window' };
  const atEdge = appendLeaves(window.from, window.hashes.slice(0, skip));
  if (!sameRange(atEdge, edge)) return { kind: 'fork', index: edge.size };
  const overlap = Math.min(state.size - edge.size, leafHashes.length);
  for (let i = 0; i < overlap; i++) {
    if (!bytesEqual(leafHashes[i]!, window.hashes[skip + i]!)) return { kind: 'fork', index: edge.size + i };
  }
  if (after.size <= state.size) return { kind: 'duplicate' };
  return accepted(overlap, state, after, null);
}

function accepted(
  deliverFrom: number,
  base: CompactRange,
  next: CompactRange,
  gap: { from: number; to: number } | null,
): Decision {
  return { kind: 'accepted', deliverFrom, base, next, gap };
}

export function sameRange(a: CompactRange, b: CompactRange): boolean {
  return a.size === b.size && a.hashes.every((hash, i) => bytesEqual(hash, b.hashes[i]!));
}
