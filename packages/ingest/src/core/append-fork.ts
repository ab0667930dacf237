import { appendLeaves, bytesEqual, rootOf, type Bytes } from '@tachograph/wire';
import type { LeafWindow } from '@tachograph/event-log';
import type { Claim } from './append-check.ts';

/** One index at which two histories of a log differ. */
export type DifferingLeaf = { readonly index: number; readonly accepted: Bytes; readonly submitted: Bytes };

/**
 * The leaves by which a claim proves that its device signed two histories, or none. It proves that only if its
 * leaves reproduce the root that it signed *and* one of them differs from the accepted leaf at its index; what
 * begins before the window is stale and proves nothing.
 */
export function findFork(window: LeafWindow, claim: Claim): readonly DifferingLeaf[] {
  const skip = claim.old - window.from.size;
  if (skip < 0 || skip > window.hashes.length) return [];
  const base = appendLeaves(window.from, window.hashes.slice(0, skip));
  if (!bytesEqual(rootOf(appendLeaves(base, claim.leafHashes)), claim.root)) return [];
  const differing: DifferingLeaf[] = [];
  for (const [i, submitted] of claim.leafHashes.entries()) {
    const accepted = window.hashes[skip + i];
    if (accepted === undefined) break;
    if (!bytesEqual(accepted, submitted)) differing.push({ index: claim.old + i, accepted, submitted });
  }
  return differing;
}
