import type { Bytes, DeviceId } from '@tachograph/wire';
import { leavesFrom } from './core/blocks.ts';
import type { SharedState } from './shared-state.ts';

/** Bytes of leaves held in memory at a time. */
const PAGE_BYTES = 2 * 1024 * 1024;

export type WalkEnd =
  | 'reached'
  /** The log was succeeded, or a receipt has passed the place: start again from the present rows. */
  | 'moved'
  /** A leaf that should be there is not. */
  | 'damaged';

/** Shows the leaves from index `from` up to `to` of the log of `device`, in order and in bounded portions. */
export async function walkLeaves(
  state: SharedState,
  device: DeviceId,
  { from, to }: { from: number; to: number },
  visit: (leaves: readonly Bytes[]) => void,
): Promise<WalkEnd> {
  let at = from;
  while (at < to) {
    const here = at;
    const { rows, blocks } = await state.read(() => ({ device, from: here, bytesMax: PAGE_BYTES }));
    if (rows.log?.device !== device || rows.log.base.range.size > here) return 'moved';
    const leaves = leavesFrom(blocks, here)?.slice(0, to - here) ?? [];
    if (leaves.length === 0) return 'damaged';
    visit(leaves);
    at += leaves.length;
  }
  return 'reached';
}
