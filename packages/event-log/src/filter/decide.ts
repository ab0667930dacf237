import {
  appendLeaves,
  bytesEqual,
  EMPTY_RANGE,
  rootOf,
  type Bytes,
  type CompactRange,
} from '@tachograph/wire';
import type { LoggedAppend } from './append.ts';

/** Leaf hashes of a device's log from `from.size` on, with the range at which they begin. */
export type LeafWindow = { readonly from: CompactRange; readonly hashes: readonly Bytes[] };

/** What a reader needs to decide further, beyond the state it has loaded. */
export type Evidence = {
  /** Loaded when a decision answered `needs: 'window'`: what there is from the append's edge, or later, on. */
  readonly window?: LeafWindow;
  /** Set when a decision answered `needs: 'receipt'`: whether ingest's cosignature on the append's receipt verifies. */
  readonly receiptVerifies?: boolean;
};

/** Indices [from, to) of a device's log. */
export type IndexRange = { readonly from: number; readonly to: number };

/** What the log-order filter makes of one append. */
export type Decision =
  /** The records from `deliverFrom` on continue the log; `next` is the state after them. */
  | {
      readonly kind: 'accepted';
      readonly deliverFrom: number;
      /** The range at the first delivered record. */
      readonly base: CompactRange;
      readonly next: CompactRange;
      /**
       * `log.gap`, raised once: what this reader did not see, or saw otherwise, and ingest had acknowledged. The
       * state is replaced then, not continued. `null` where nothing is missing, or nothing was known before.
       */
      readonly gap: IndexRange | null;
    }
  /** Everything in it has been delivered already. */
  | { readonly kind: 'duplicate' }
  /** Cannot follow the state and proves nothing: a zombie's late append. Counted, not delivered. */
  | { readonly kind: 'stale'; readonly reason: 'before-window' | 'ahead' }
  /** The device signed another history: raised, not delivered. No leaf before `index` differs. */
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
  const known = state ?? EMPTY_RANGE;
  if (sameRange(edge, known)) return accepted(0, edge, after, null);
  if (edge.size > known.size) return ahead(state, append, after, evidence);
  if (edge.size === known.size) return contradicted(known, append, after, evidence);
  return behind(known, append, after, evidence);
}

/** The edge is ahead of the state: only ingest's own cosignature vouches for what this reader has not seen. */
function ahead(
  state: CompactRange | null,
  append: LoggedAppend,
  after: CompactRange,
  evidence: Evidence,
): Decision {
  const vouched = edgeIsVouched(append, evidence);
  if (vouched === 'unknown') return { kind: 'needs', what: 'receipt' };
  if (!vouched) return { kind: 'stale', reason: 'ahead' };
  // A reader without state starts here; one with state has missed what lies between.
  const gap = state === null ? null : { from: state.size, to: append.edge.size };
  return accepted(0, append.edge, after, gap);
}

/**
 * The edge is not what this reader has at that size (`ours`). The device signed both histories, which is a fork,
 * unless ingest vouches for the other one: then it has lost what this reader saw, and goes on from there.
 */
function contradicted(
  ours: CompactRange,
  append: LoggedAppend,
  after: CompactRange,
  evidence: Evidence,
): Decision {
  const vouched = edgeIsVouched(append, evidence);
  if (vouched === 'unknown') return { kind: 'needs', what: 'receipt' };
  const index = commonSize(ours, append.edge);
  if (!vouched) return { kind: 'fork', index };
  return accepted(0, append.edge, after, { from: index, to: append.edge.size });
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
  const ours = appendLeaves(window.from, window.hashes.slice(0, skip));
  if (!sameRange(ours, edge)) return contradicted(ours, append, after, evidence);
  const overlap = Math.min(state.size - edge.size, leafHashes.length);
  for (let i = 0; i < overlap; i++) {
    if (!bytesEqual(leafHashes[i]!, window.hashes[skip + i]!)) return { kind: 'fork', index: edge.size + i };
  }
  if (after.size <= state.size) return { kind: 'duplicate' };
  return accepted(overlap, state, after, null);
}

/** Whether a cosigned checkpoint of exactly the edge's size and root stands with the append. */
function edgeIsVouched({ edge, receipt }: LoggedAppend, evidence: Evidence): boolean | 'unknown' {
  if (receipt === null || receipt.size !== edge.size || !bytesEqual(receipt.root, rootOf(edge))) return false;
  return evidence.receiptVerifies ?? 'unknown';
}

function accepted(
  deliverFrom: number,
  base: CompactRange,
  next: CompactRange,
  gap: IndexRange | null,
): Decision {
  return { kind: 'accepted', deliverFrom, base, next, gap };
}

function sameRange(a: CompactRange, b: CompactRange): boolean {
  return a.size === b.size && a.hashes.every((hash, i) => bytesEqual(hash, b.hashes[i]!));
}

/** Leaves that two ranges of one size surely share: those under the equal subtrees at their left. */
function commonSize(a: CompactRange, b: CompactRange): number {
  let [common, rest] = [0, a.size];
  for (const [i, hash] of a.hashes.entries()) {
    if (!bytesEqual(hash, b.hashes[i]!)) break;
    let subtree = 1;
    while (subtree * 2 <= rest) subtree *= 2;
    common += subtree;
    rest -= subtree;
  }
  return common;
}
