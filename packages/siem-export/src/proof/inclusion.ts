import { nodeHash, type Bytes, type CompactRange } from '@tachograph/wire';

/**
 * PATH(index, D[n]) (RFC 6962, section 2.1.1) from the range before a stretch of the log and the leaf hashes of that
 * stretch alone; the leaf's sibling first. Pure.
 *
 * @throws RangeError unless the index lies in the stretch
 */
export function inclusionPath(range: CompactRange, leafHashes: readonly Bytes[], index: number): Bytes[] {
  const size = range.size + leafHashes.length;
  if (!Number.isSafeInteger(index) || index < range.size || index >= size)
    throw new RangeError('no such leaf');
  const path: Bytes[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      path.push(rootOfSpan(range, leafHashes, middle, to));
      to = middle;
    } else {
      path.push(rootOfSpan(range, leafHashes, from, middle));
      from = middle;
    }
  }
  return path.reverse();
}

/** The root over the leaves from `from` to before `to`: a subtree of the range, or made of both. */
function rootOfSpan(range: CompactRange, leafHashes: readonly Bytes[], from: number, to: number): Bytes {
  if (to <= range.size) return subtreeOf(range, from, to);
  if (to - from === 1) return leafHashes[from - range.size]!;
  const middle = from + splitPoint(to - from);
  return nodeHash(rootOfSpan(range, leafHashes, from, middle), rootOfSpan(range, leafHashes, middle, to));
}

/** A left sibling on the way to a leaf behind the range lies on the range's own edge. */
function subtreeOf({ size, hashes }: CompactRange, from: number, to: number): Bytes {
  let at = 0;
  for (const hash of hashes) {
    const length = largestPower(size - at);
    if (at === from && at + length === to) return hash;
    at += length;
  }
  throw new RangeError('no subtree of the range');
}

/** The largest power of two smaller than `count` (RFC 6962's k). */
function splitPoint(count: number): number {
  return largestPower(count - 1);
}

/** The largest power of two that is not above `count`. */
function largestPower(count: number): number {
  let power = 1;
  while (power * 2 <= count) power *= 2;
  return power;
}
