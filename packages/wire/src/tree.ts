import { type Bytes, bytesEqual } from './bytes.ts';
import { sha256 } from './sha256.ts';

/**
 * The compact range [0, size) of an RFC 6962 tree: the roots of its perfect subtrees, largest (leftmost) first.
 * It is all that is needed to append to a log and to know its root. `hashes.length` = number of set bits of `size`.
 */
export type CompactRange = { readonly size: number; readonly hashes: readonly Bytes[] };

/** The range of the empty log. */
export const EMPTY_RANGE: CompactRange = { size: 0, hashes: [] };

/** MTH({}) = SHA-256() (RFC 6962, section 2.1). */
export const EMPTY_ROOT: Bytes = sha256(new Uint8Array());

const LEAF_PREFIX = /* @__PURE__ */ Uint8Array.of(0);
const NODE_PREFIX = /* @__PURE__ */ Uint8Array.of(1);

/** SHA-256(0x00 ‖ leaf) (RFC 6962, section 2.1). */
export function leafHash(leaf: Uint8Array): Bytes {
  return sha256(LEAF_PREFIX, leaf);
}

/** SHA-256(0x01 ‖ left ‖ right) (RFC 6962, section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(NODE_PREFIX, left, right);
}

/** Number of perfect subtrees in a tree of `size` leaves. Works beyond 32 bits. */
export function rangeHashCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) if (rest % 2 === 1) count++;
  return count;
}

/** Whether `range` has as many hashes of 32 bytes as its size asks for. */
export function isWellFormedRange(range: CompactRange): boolean {
  return (
    Number.isSafeInteger(range.size) &&
    range.size >= 0 &&
    range.hashes.length === rangeHashCount(range.size) &&
    range.hashes.every((hash) => hash.length === 32)
  );
}

/** The range after the leaves with `leafHashes` have been appended. The argument is not changed. */
export function appendLeaves(range: CompactRange, leafHashes: Iterable<Bytes>): CompactRange {
  const hashes = [...range.hashes];
  let size = range.size;
  for (const leaf of leafHashes) {
    let carried = leaf;
    // Each trailing one-bit of the old size is a perfect subtree as large as what is carried: merge the two.
    for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2))
      carried = nodeHash(hashes.pop()!, carried);
    hashes.push(carried);
    size++;
  }
  return { size, hashes };
}

/** The tree's root (RFC 6962, section 2.1): the subtrees folded from the right. */
export function rootOf(range: CompactRange): Bytes {
  if (range.size === 0) return EMPTY_ROOT;
  let root = range.hashes[range.hashes.length - 1]!;
  for (let i = range.hashes.length - 2; i >= 0; i--) root = nodeHash(range.hashes[i]!, root);
  return root;
}

/** The root over `leafHashes`. */
export function rootOfLeaves(leafHashes: readonly Bytes[]): Bytes {
  return rootOf(appendLeaves(EMPTY_RANGE, leafHashes));
}

/**
 * PATH(index, D[n]) (RFC 6962, section 2.1.1), the leaf's sibling first.
 * @throws RangeError unless 0 ≤ index < leafHashes.length
 */
export function inclusionProof(leafHashes: readonly Bytes[], index: number): Bytes[] {
  if (!(Number.isInteger(index) && index >= 0 && index < leafHashes.length))
    throw new RangeError('no such leaf');
  const proof: Bytes[] = [];
  let [from, to] = [0, leafHashes.length];
  while (to - from > 1) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      proof.push(rootOfLeaves(leafHashes.slice(middle, to)));
      to = middle;
    } else {
      proof.push(rootOfLeaves(leafHashes.slice(from, middle)));
      from = middle;
    }
  }
  return proof.reverse();
}

/**
 * PROOF(oldSize, D[n]) (RFC 6962, section 2.1.2).
 * @throws RangeError unless 0 < oldSize ≤ leafHashes.length
 */
export function consistencyProof(leafHashes: readonly Bytes[], oldSize: number): Bytes[] {
  if (!(Number.isInteger(oldSize) && oldSize > 0 && oldSize <= leafHashes.length))
    throw new RangeError('no such size');
  return subproof(oldSize, leafHashes, true);
}

function subproof(size: number, leaves: readonly Bytes[], complete: boolean): Bytes[] {
  if (size === leaves.length) return complete ? [] : [rootOfLeaves(leaves)];
  const split = splitPoint(leaves.length);
  if (size <= split)
    return [...subproof(size, leaves.slice(0, split), complete), rootOfLeaves(leaves.slice(split))];
  return [...subproof(size - split, leaves.slice(split), false), rootOfLeaves(leaves.slice(0, split))];
}

/** The largest power of two smaller than `count` (RFC 6962's k). */
function splitPoint(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Whether `proof` shows that `leaf` is leaf `index` of the tree with `size` leaves and `root` (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(
  leaf: Bytes,
  index: number,
  size: number,
  root: Uint8Array,
  proof: readonly Bytes[],
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && bytesEqual(hash, root);
}

/** Whether `proof` shows that the tree of `oldSize` is a prefix of the tree of `size` (RFC 9162, section 2.1.4.2). */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Bytes,
  size: number,
  root: Uint8Array,
  proof: readonly Bytes[],
): boolean {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(size) || oldSize <= 0 || oldSize > size)
    return false;
  if (oldSize === size) return proof.length === 0 && bytesEqual(oldRoot, root);
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof];
  const first = path[0];
  if (first === undefined) return false;
  let [node, last] = [oldSize - 1, size - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  let [oldHash, hash] = [first, first];
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && bytesEqual(oldHash, oldRoot) && bytesEqual(hash, root);
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest > 1 && rest % 2 === 0) rest /= 2;
  return rest === 1;
}
