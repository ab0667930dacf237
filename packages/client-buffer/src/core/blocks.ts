import { appendLeaves, leafHash, LIMITS, type Bytes, type DeviceId } from '@tachograph/wire';
import type { Position } from './rows.ts';

/** Neighbouring leaves of one log as they are stored: `bytes` holds them in order, each with its line feed. */
export type Block = {
  readonly device: DeviceId;
  /** Index of the first leaf. */
  readonly first: number;
  /** Index after the last leaf: the block goes once the receipt's size reaches it. */
  readonly end: number;
  readonly bytes: Bytes;
};

const LF = 10;

/** Packs `leaves` into blocks within the limits. The first of them gets index `first`. */
export function packBlocks(device: DeviceId, first: number, leaves: readonly Uint8Array[]): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  while (from < leaves.length) {
    let bytes = 0;
    let to = from;
    while (to < leaves.length && to - from < LIMITS.blockLeavesMax) {
      const length = leaves[to]!.length + 1;
      // A leaf is never larger than a block, so that a block always takes at least one.
      if (bytes + length > LIMITS.blockBytesMax && to > from) break;
      bytes += length;
      to++;
    }
    blocks.push({
      device,
      first: first + from,
      end: first + to,
      bytes: joinLeaves(leaves.slice(from, to), bytes),
    });
    from = to;
  }
  return blocks;
}

function joinLeaves(leaves: readonly Uint8Array[], length: number): Bytes {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const leaf of leaves) {
    bytes.set(leaf, at);
    at += leaf.length;
    bytes[at++] = LF;
  }
  return bytes;
}

/** The leaves of a block without their line feeds, or `null` where their number is not what the block says. */
function leavesOf({ bytes, first, end }: Block): Bytes[] | null {
  const leaves: Bytes[] = [];
  let start = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, start)) {
    leaves.push(bytes.subarray(start, at));
    start = at + 1;
  }
  return start === bytes.length && leaves.length === end - first ? leaves : null;
}

/**
 * The leaves from index `from` on, up to where the blocks end or leave a hole; `null` if a block is damaged or the
 * first leaf is missing. A block may begin before `from`.
 */
export function leavesFrom(blocks: readonly Block[], from: number): Bytes[] | null {
  const leaves: Bytes[] = [];
  for (const block of blocks) {
    const here = from + leaves.length;
    if (block.first > here) return null;
    const own = leavesOf(block);
    if (own === null) return null;
    for (const leaf of own.slice(here - block.first)) leaves.push(leaf);
  }
  return leaves;
}

/** The position after `leaves` have been appended at `position`. */
export function advance(position: Position, leaves: readonly Uint8Array[]): Position {
  let bytes = position.bytes;
  const hashes = leaves.map((leaf) => {
    bytes += leaf.length + 1;
    return leafHash(leaf);
  });
  return { range: appendLeaves(position.range, hashes), bytes };
}
