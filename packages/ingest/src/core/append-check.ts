import { appendLeaves, bytesEqual, rootOf, type Bytes, type CompactRange } from '@tachograph/wire';

/** What a device claims of its log: from `old` to `size`, with these leaves and this root. */
export type Claim = {
  readonly old: number;
  readonly size: number;
  readonly root: Bytes;
  readonly leafHashes: readonly Bytes[];
};

export type ClaimVerdict =
  /** The leaves continue the log; `next` is the state after them. */
  | { readonly kind: 'follows'; readonly next: CompactRange }
  /** Nothing new, and the same state. */
  | { readonly kind: 'same' }
  /** It starts elsewhere than where the log ends (409). */
  | { readonly kind: 'conflict' }
  /** The root does not follow from the log and these leaves (422). */
  | { readonly kind: 'mismatch' };

/** Whether a claim continues a log whose settled state is `head`. */
export function checkClaim(head: CompactRange, claim: Claim): ClaimVerdict {
  if (claim.old !== head.size) return { kind: 'conflict' };
  const next = appendLeaves(head, claim.leafHashes);
  if (next.size !== claim.size || !bytesEqual(rootOf(next), claim.root)) return { kind: 'mismatch' };
  return claim.leafHashes.length === 0 ? { kind: 'same' } : { kind: 'follows', next };
}

/** Whether the log has arrived exactly where the claim ends. */
export function isSettledAt(head: CompactRange, claim: Claim): boolean {
  return head.size === claim.size && bytesEqual(rootOf(head), claim.root);
}
