import type { CheckpointNote } from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import { findFork, type DifferingLeaf } from '../core/append-fork.ts';
import type { ReadLeaf } from '../core/leaf-content.ts';
import { keyOf, type AppendJob } from '../lane/job.ts';
import { recordFork } from '../registry/forks.ts';
import { loadWindow, type Head } from '../registry/heads.ts';
import type { Receipts } from './receipts.ts';

/**
 * Before a 409 is answered: whether the leaves that came prove that the device's key signed two histories. The
 * proof is kept, and reported once in the tenant's log.
 */
export async function checkForFork(
  context: Pick<IngestContext, 'registry' | 'clock' | 'logger' | 'metrics' | 'tenantLog'>,
  receipts: Receipts,
  job: AppendJob,
  submitted: CheckpointNote,
  head: Head,
): Promise<void> {
  const { claim, leaves, origin } = job.source;
  if (leaves.length === 0 || claim.old >= head.range.size) return;
  const key = keyOf(job);
  const differing = findFork(await loadWindow(context.registry.db, key, head.range), claim);
  const first = differing[0];
  if (first === undefined) return;
  const accepted = head.checkpoint ?? (await receipts.note(origin, head.range, head.cosignedSeconds));
  const isNew = await context.registry.transaction((trx) =>
    recordFork(trx, {
      ...key,
      index: first.index,
      accepted,
      submitted,
      differing: differing.map((leaf) => withBytes(leaf, leaves[leaf.index - claim.old]!)),
      detectedAt: context.clock(),
    }),
  );
  if (!isNew) return;
  context.metrics.filterAlarm('fork');
  context.logger.warn({ origin, index: first.index, size: claim.size }, 'log.forked');
  context.tenantLog.wake();
}

function withBytes(differing: DifferingLeaf, { bytes }: ReadLeaf) {
  return { ...differing, leaf: bytes };
}
