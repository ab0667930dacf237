import { toBase64, forkEventId, type Bytes, type CheckpointNote } from '@tachograph/wire';
import type { DifferingLeaf } from '../core/append-fork.ts';
import { enqueueEvent, INGEST_ACTOR } from '../tenant-log/outbox.ts';
import type { LogKey } from './heads.ts';
import type { Db } from './registry.ts';

/** Proof that a device's key signed two histories. */
export type ForkProof = LogKey & {
  /** The first index at which they differ. */
  readonly index: number;
  /** The device-signed checkpoint that was accepted first. */
  readonly accepted: string;
  readonly submitted: CheckpointNote;
  readonly differing: readonly (DifferingLeaf & { readonly leaf: Bytes })[];
  readonly detectedAt: number;
};

/**
 * How many forks of one device are kept and reported. One proves what there is to prove; a stolen key could make new
 * ones for ever, and fill the registry and the tenant's log with them.
 */
const FORKS_MAX = 32;

/** How many differing leaves are kept with a proof: one is enough, more help to understand. */
const DIFFERING_MAX = 100;

/**
 * Keeps a fork's evidence and reports it once in the tenant's log, in one transaction.
 * @returns whether it was not known before, and is kept
 */
export async function recordFork(trx: Db, fork: ForkProof): Promise<boolean> {
  const id = forkEventId(fork.submitted);
  if ((await countForks(trx, fork)) >= FORKS_MAX) return false;
  const differing = fork.differing.slice(0, DIFFERING_MAX).map(({ index, accepted, submitted, leaf }) => ({
    index,
    accepted: toBase64(accepted),
    submitted: toBase64(submitted),
    leaf: toBase64(leaf),
  }));
  const { numInsertedOrUpdatedRows: inserted } = await trx
    .insertInto('forks')
    .values({
      tenant: fork.tenant,
      device: fork.device,
      id,
      leaf_index: fork.index,
      accepted_checkpoint: fork.accepted,
      submitted_checkpoint: fork.submitted.source,
      differing: JSON.stringify(differing),
      detected_at: fork.detectedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (inserted === 0n) return false;
  // A registry that was restored from a backup may read about a tenant that it does not know.
  const known = await trx
    .selectFrom('tenant_logs')
    .select('device')
    .where('tenant', '=', fork.tenant)
    .executeTakeFirst();
  if (known === undefined) return true;
  const { origin, size, root } = fork.submitted;
  await enqueueEvent(trx, {
    tenant: fork.tenant,
    action: 'log.forked',
    actor: INGEST_ACTOR,
    targets: [{ type: 'device', id: fork.device }],
    data: { origin, size, root: toBase64(root), index: fork.index },
    id,
    at: fork.detectedAt,
  });
  return true;
}

async function countForks(trx: Db, { tenant, device }: LogKey): Promise<number> {
  const { count } = await trx
    .selectFrom('forks')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  return count;
}
