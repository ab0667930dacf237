import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  appendLeaves,
  bytesEqual,
  consistencyProof,
  EMPTY_RANGE,
  EMPTY_ROOT,
  inclusionProof,
  isWellFormedRange,
  leafHash,
  nodeHash,
  rangeHashCount,
  rootOf,
  rootOfLeaves,
  toHex,
  utf8,
  verifyConsistency,
  verifyInclusion,
  type Bytes,
} from '../src/index.ts';

const SIZE_MAX = 130;
const data = Array.from({ length: SIZE_MAX }, (_, i) => utf8(`leaf ${i}`));
const leaves = data.map(leafHash);
const roots = Array.from({ length: SIZE_MAX + 1 }, (_, size) => mth(data.slice(0, size)));

/** RFC 6962, section 2.1, word for word, on the hash function of Node. */
function mth(entries: readonly Bytes[]): Bytes {
  const sha256 = (...parts: Uint8Array[]) =>
    new Uint8Array(parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest());
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Uint8Array.of(0), entries[0]!);
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  return sha256(Uint8Array.of(1), mth(entries.slice(0, k)), mth(entries.slice(k)));
}

/** Every proof that differs from `proof` in one bit of one hash, or by one hash more, less or out of place. */
function mutationsOf(proof: readonly Bytes[]): Bytes[][] {
  const flipped = proof.map((hash, i) => {
    const bad = hash.slice();
    bad[i % 32]! ^= 1 << (i % 8);
    return proof.with(i, bad);
  });
  const dropped = proof.map((_, i) => proof.toSpliced(i, 1));
  const added = [...proof.keys(), proof.length].map((i) => proof.toSpliced(i, 0, leaves[7]!));
  const doubled = proof.map((hash, i) => proof.toSpliced(i, 0, hash));
  const swapped = proof
    .slice(1)
    .map((hash, i) => proof.with(i, hash).with(i + 1, proof[i]!))
    .filter((other) => other.some((hash, i) => !bytesEqual(hash, proof[i]!)));
  return [...flipped, ...dropped, ...added, ...doubled, ...swapped];
}

describe('the compact range', () => {
  it('has the root of RFC 6962 at every size from 0 to 130, however its leaves arrive', () => {
    let range = EMPTY_RANGE;
    for (let size = 0; size <= SIZE_MAX; size++) {
      expect(toHex(rootOf(range))).toBe(toHex(roots[size]!));
      expect(toHex(rootOfLeaves(leaves.slice(0, size)))).toBe(toHex(roots[size]!));
      expect(isWellFormedRange(range)).toBe(true);
      const rest = appendLeaves(range, leaves.slice(size));
      expect(toHex(rootOf(rest))).toBe(toHex(roots[SIZE_MAX]!));
      if (size < SIZE_MAX) range = appendLeaves(range, [leaves[size]!]);
    }
  });

  it('starts at the hash of nothing', () => {
    expect(toHex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf(EMPTY_RANGE)).toEqual(EMPTY_ROOT);
  });

  it('is not changed by appending to it', () => {
    const range = appendLeaves(EMPTY_RANGE, leaves.slice(0, 7));
    const before = range.hashes.map(toHex);
    appendLeaves(range, leaves.slice(7, 9));
    expect(range.size).toBe(7);
    expect(range.hashes.map(toHex)).toEqual(before);
  });

  it('holds one hash for each set bit of its size, also beyond 2^32', () => {
    expect(rangeHashCount(0)).toBe(0);
    expect(rangeHashCount(2 ** 32)).toBe(1);
    expect(rangeHashCount(2 ** 32 - 1)).toBe(32);
    expect(rangeHashCount(2 ** 40 + 5)).toBe(3);
    expect(rangeHashCount(2 ** 53 - 1)).toBe(53);
  });

  it('merges across 2^32 as below it', () => {
    const full = { size: 2 ** 33 - 1, hashes: leaves.slice(0, 33) };
    expect(isWellFormedRange(full)).toBe(true);
    expect(isWellFormedRange({ ...full, size: 2 ** 33 })).toBe(false);
    const next = appendLeaves(full, [leaves[100]!]);
    const merged = full.hashes.reduceRight((carried, hash) => nodeHash(hash, carried), leaves[100]!);
    expect(next).toEqual({ size: 2 ** 33, hashes: [merged] });
  });

  it('is refused with too few, too many or short hashes, and with a size that is no count', () => {
    const [hash] = leaves as [Bytes];
    expect(isWellFormedRange({ size: 3, hashes: [hash] })).toBe(false);
    expect(isWellFormedRange({ size: 0, hashes: [hash] })).toBe(false);
    expect(isWellFormedRange({ size: 1, hashes: [hash.slice(1)] })).toBe(false);
    for (const size of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(isWellFormedRange({ size, hashes: [hash] })).toBe(false);
    }
  });
});

describe('hashes', () => {
  it('of a leaf and of a node never share their input', () => {
    const [left, right] = leaves as [Bytes, Bytes];
    const joined = new Uint8Array(64);
    joined.set(left);
    joined.set(right, 32);
    expect(toHex(leafHash(joined))).not.toBe(toHex(nodeHash(left, right)));
  });
});

describe('an inclusion proof', () => {
  it('verifies for every leaf of every size up to 66, and for no other leaf, index, size or root', () => {
    for (let size = 1; size <= 66; size++) {
      const sized = leaves.slice(0, size);
      const root = roots[size]!;
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(sized, index);
        const leaf = leaves[index]!;
        expect(verifyInclusion(leaf, index, size, root, proof)).toBe(true);
        expect(verifyInclusion(leaves[index + 1]!, index, size, root, proof)).toBe(false);
        expect(verifyInclusion(leaf, (index + 1) % (size + 1), size, root, proof)).toBe(false);
        expect(verifyInclusion(leaf, index - 1, size, root, proof)).toBe(false);
        expect(verifyInclusion(leaf, index, size, roots[size - 1]!, proof)).toBe(false);
      }
    }
  });

  it('is refused once any hash is changed, dropped, added, doubled or moved', () => {
    for (const size of [1, 2, 3, 7, 8, 13, 64, 65, 130]) {
      for (const index of [0, 1, size >> 1, size - 2, size - 1]) {
        if (index < 0 || index >= size) continue;
        const proof = inclusionProof(leaves.slice(0, size), index);
        for (const bad of mutationsOf(proof)) {
          expect(verifyInclusion(leaves[index]!, index, size, roots[size]!, bad)).toBe(false);
        }
      }
    }
  });

  it('is refused for an index or a size that is no count', () => {
    const proof = inclusionProof(leaves.slice(0, 4), 1);
    for (const index of [-1, 0.5, Number.NaN, 4, 2 ** 53]) {
      expect(verifyInclusion(leaves[1]!, index, 4, roots[4]!, proof)).toBe(false);
    }
    for (const size of [-1, 0, 0.5, Number.NaN, 2 ** 53]) {
      expect(verifyInclusion(leaves[1]!, 1, size, roots[4]!, proof)).toBe(false);
    }
  });

  it('is made only for a leaf that is there', () => {
    for (const index of [-1, 0.5, 4]) {
      expect(() => inclusionProof(leaves.slice(0, 4), index)).toThrow(RangeError);
    }
    expect(() => inclusionProof([], 0)).toThrow(RangeError);
  });

  it('verifies beyond 2^32 leaves', () => {
    // A log of 2^32 + 1 leaves: the last one stands alone to the right of one perfect subtree.
    const subtree = leaves[0]!;
    const root = nodeHash(subtree, leaves[1]!);
    expect(verifyInclusion(leaves[1]!, 2 ** 32, 2 ** 32 + 1, root, [subtree])).toBe(true);
    expect(verifyInclusion(leaves[1]!, 2 ** 32 - 1, 2 ** 32 + 1, root, [subtree])).toBe(false);
  });
});

describe('a consistency proof', () => {
  it('verifies between all sizes up to 66, and for no other size or root', () => {
    for (let size = 1; size <= 66; size++) {
      const sized = leaves.slice(0, size);
      for (let old = 1; old <= size; old++) {
        const proof = consistencyProof(sized, old);
        expect(verifyConsistency(old, roots[old]!, size, roots[size]!, proof)).toBe(true);
        expect(verifyConsistency(old, roots[old - 1]!, size, roots[size]!, proof)).toBe(false);
        expect(verifyConsistency(old, roots[old]!, size, roots[size + 1]!, proof)).toBe(false);
        if (old > 1) expect(verifyConsistency(old - 1, roots[old]!, size, roots[size]!, proof)).toBe(false);
      }
    }
  });

  it('is refused once any hash is changed, dropped, added, doubled or moved', () => {
    for (const size of [2, 3, 7, 8, 13, 64, 65, 130]) {
      for (const old of [1, 2, 3, size >> 1, size - 1, size]) {
        if (old < 1 || old > size) continue;
        const proof = consistencyProof(leaves.slice(0, size), old);
        for (const bad of mutationsOf(proof)) {
          expect(verifyConsistency(old, roots[old]!, size, roots[size]!, bad)).toBe(false);
        }
      }
    }
  });

  it('says nothing about the empty log, or about sizes that are no counts', () => {
    expect(verifyConsistency(0, EMPTY_ROOT, 4, roots[4]!, [])).toBe(false);
    for (const [old, size] of [
      [5, 4],
      [-1, 4],
      [0.5, 4],
      [Number.NaN, 4],
      [1, Infinity],
    ] as const) {
      expect(verifyConsistency(old, roots[1]!, size, roots[4]!, [])).toBe(false);
    }
    for (const old of [0, 5, 0.5]) {
      expect(() => consistencyProof(leaves.slice(0, 4), old)).toThrow(RangeError);
    }
  });
});
