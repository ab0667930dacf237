import { randomInt } from 'node:crypto';
import { runCompiled } from './compiled.ts';
import { storeConfirmations, type Confirmation } from './confirmations.ts';
import { pruneIssued, storeIssued, type Issued } from './cosigned.ts';
import { recordFork, type ForkProof } from './forks.ts';
import { inRows, storeHeads, storeWindows, type Head, type LogKey, type WindowPart } from './heads.ts';
import type { Db, Registry } from './registry.ts';
import { storeSightings, type Sighting } from './sightings.ts';

/** What one log has become. */
export type HeadMove = LogKey & {
  readonly head: Head;
  /** The size that its newest leaf had seen, where that is known. */
  readonly anchor: number | null;
  /** The offset after its newest record in the log; `null` where nothing was appended. */
  readonly endOffset: number | null;
};

export type Rejection = LogKey & { readonly index: number; readonly code: string };

/** How far a partition has been read, and the version of what that has made of its heads. */
export type Position = {
  readonly offset: number;
  readonly version: number;
  /** The mark of the last record before `offset`, by which the log is known again; `null` where none is known. */
  readonly mark: string | null;
};

/** All that the registry learns of a stretch of one partition, and of the requests that were answered with it. */
export type Settlement = {
  readonly partition: number;
  /** What this was computed from, and the settled offset after it. */
  readonly from: Position;
  readonly to: number;
  /** The mark of the last record before `to`. */
  readonly mark: string | null;
  readonly moves: readonly HeadMove[];
  readonly windows: readonly WindowPart[];
  readonly issued: readonly Issued[];
  readonly rejections: readonly Rejection[];
  readonly sightings: readonly Sighting[];
  readonly forks: readonly ForkProof[];
  readonly confirmations: readonly Confirmation[];
  /** When this is settled, milliseconds since the epoch. */
  readonly at: number;
};

/** Every record of the partition below this offset is folded into heads. */
export async function settledPosition(db: Db, partition: number): Promise<Position> {
  const query = () =>
    db
      .selectFrom('partitions')
      .select(['settled_offset as offset', 'version', 'mark'])
      .where('partition', '=', partition);
  const { rows } = await runCompiled(db, 'position', query, [partition]);
  if (rows[0] === undefined) throw new Error(`the registry knows no partition ${partition}`);
  return rows[0];
}

/** Makes the rows of partitions 0 to `count` − 1. */
export async function addPartitions(db: Db, count: number): Promise<void> {
  await db
    .insertInto('partitions')
    .values(
      Array.from({ length: count }, (_, partition) => ({
        partition,
        settled_offset: 0,
        version: 0,
        mark: null,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Moves the heads, the settled offset and all that belongs to them in one transaction, on the condition that the
 * position still is what they were computed from.
 *
 * `also` is done in the same transaction. Without it, forks and confirmations, all of this is in the log as well, fsynced,
 * and the transaction costs no fsync of its own.
 *
 * @returns the new position; `null`, and nothing is changed, where another node has moved it meanwhile
 */
export async function settle(
  registry: Registry,
  settlement: Settlement,
  also: ((trx: Db) => Promise<void>) | null = null,
): Promise<Position | null> {
  const hasOwnFacts = also !== null || settlement.forks.length > 0 || settlement.confirmations.length > 0;
  const transaction = <T>(work: (trx: Db) => Promise<T>): Promise<T> => {
    if (!hasOwnFacts) return registry.checkpoint(work);
    return also === null ? registry.transaction(work, 'lane') : registry.transaction(work);
  };
  const version = randomInt(VERSIONS);
  return transaction(async (trx) => {
    if (!(await movePosition(trx, settlement, version))) return null;
    await storeHeads(trx, settlement.partition, settlement.moves);
    await storeWindows(trx, settlement.windows);
    await storeIssued(trx, settlement.issued);
    await storeRejections(trx, settlement.rejections);
    await storeSightings(trx, settlement.sightings);
    for (const fork of settlement.forks) await recordFork(trx, fork);
    await storeConfirmations(trx, settlement.confirmations, settlement.at);
    for (const move of settlement.moves) if (isPruneTime(move)) await pruneIssued(trx, move, move.anchor);
    await also?.(trx);
    return { offset: settlement.to, version, mark: settlement.mark };
  });
}

/** Whether the partition was where the settlement begins, and is now where it ends. */
async function movePosition(trx: Db, settlement: Settlement, version: number): Promise<boolean> {
  const { partition, from, to, mark } = settlement;
  const query = () =>
    trx
      .updateTable('partitions')
      .set({ settled_offset: to, version, mark })
      .where('partition', '=', partition)
      .where('version', '=', from.version);
  const parameters = [to, version, mark, partition, from.version];
  const { numAffectedRows: moved } = await runCompiled(trx, 'move position', query, parameters);
  return moved === 1n;
}

/**
 * Versions are drawn, not counted. A database that lost its newest checkpoints, or was restored from a backup, while
 * nodes kept their heads in memory, would count up to a number again that one of them takes for its own.
 */
const VERSIONS = 2 ** 48 - 1;

/** About one in 64: pruning at every append would double its writes. */
function isPruneTime({ head }: HeadMove): boolean {
  return (head.range.size + head.cosignedSeconds) % 64 === 0;
}

async function storeRejections(trx: Db, rejections: readonly Rejection[]): Promise<void> {
  const rows = rejections.map(({ tenant, device, index, code }) => ({
    tenant,
    device,
    leaf_index: index,
    code,
  }));
  for (const some of inRows(rows)) {
    await trx
      .insertInto('rejections')
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  for (const key of new Map(
    rejections.map((rejection) => [`${rejection.tenant}/${rejection.device}`, rejection]),
  ).values()) {
    await pruneRejections(trx, key);
  }
}

/** How many rejections of one log are remembered, for a device whose answer was lost. */
const REJECTIONS_MAX = 2_000;

async function pruneRejections(trx: Db, { tenant, device }: LogKey): Promise<void> {
  const oldest = await trx
    .selectFrom('rejections')
    .select('leaf_index')
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .orderBy('leaf_index', 'desc')
    .offset(REJECTIONS_MAX)
    .limit(1)
    .executeTakeFirst();
  if (oldest === undefined) return;
  await trx
    .deleteFrom('rejections')
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .where('leaf_index', '<=', oldest.leaf_index)
    .execute();
}

/** The rejections of leaves with `from` ≤ index < `to` that are still known. */
export async function findRejections(
  db: Db,
  { tenant, device }: LogKey,
  from: number,
  to: number,
): Promise<{ index: number; code: string }[]> {
  return db
    .selectFrom('rejections')
    .select(['leaf_index as index', 'code'])
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .where('leaf_index', '>=', from)
    .where('leaf_index', '<', to)
    .orderBy('leaf_index')
    .limit(REJECTIONS_MAX)
    .execute();
}
