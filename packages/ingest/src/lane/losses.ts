import {
  AppendAssembler,
  LogMissingError,
  markOf,
  type EventLog,
  type StoredRecord,
} from '@tachograph/event-log';
import type { LogKey } from '../registry/heads.ts';
import { headsOfPartition, reportLoss, type Loss } from '../registry/losses.ts';
import type { Registry } from '../registry/registry.ts';
import { settle, settledPosition } from '../registry/settlement.ts';
import { LogTruncatedError } from './ports.ts';
import { checkWhole } from './whole.ts';

type Ports = { readonly authority: string; readonly log: EventLog; readonly registry: Registry };

/** What one partition has lost, and where one may go on without it. */
export type PartitionLosses = {
  readonly partition: number;
  /** Why it counts as lost. */
  readonly reason: string;
  readonly losses: readonly Loss[];
  /** Everything before this offset is known to the registry, and everything from it on is not. */
  readonly resumeAt: number;
  /** The mark of the last record before that. */
  readonly mark: string | null;
};

/**
 * What of the settled entries the partition does not hold any more, device by device; `null` where it is whole. It
 * reads all that is left of the partition. Where retention was at work as well, a range may begin with entries that
 * had expired before: none of them is in the log.
 */
export async function findLosses(ports: Ports, partition: number): Promise<PartitionLosses | null> {
  const { authority, log, registry } = ports;
  const reason = await reasonOf(ports, partition);
  if (reason === null) return null;
  const heads = await headsOfPartition(registry.db, partition);
  const originOf = ({ tenant, device }: LogKey): string => `${authority}/${tenant}/${device}`;
  const sizes = new Map(heads.map((head) => [originOf(head), head.range.size]));
  const left = await readLeft(log, partition, sizes);
  const losses: Loss[] = [];
  for (const head of heads) {
    const { tenant, device, range, endOffset } = head;
    const origin = originOf(head);
    const isExpired = left.oldest > 0 && endOffset !== null && endOffset <= left.oldest;
    const from = left.sizes.get(origin) ?? (isExpired ? range.size : 0);
    if (from < range.size) losses.push({ tenant, device, origin, range, from, to: range.size });
  }
  return { partition, reason, losses, resumeAt: left.resumeAt, mark: left.mark };
}

/**
 * Goes on without what was lost: the partition counts as settled as far as the registry knows what it holds, and
 * each loss is reported in its tenant's log. Heads stay where they are, since devices hold receipts for them; so
 * nothing is cosigned twice, and readers are told of the gap by the next append's receipt.
 *
 * @returns `null` where the partition is whole
 * @throws where a server has moved the partition meanwhile. One that works on it and moves nothing goes unnoticed: see
 * to it that none does.
 */
export async function acceptLosses(
  ports: Ports & { readonly clock: () => number },
  partition: number,
): Promise<PartitionLosses | null> {
  const { registry } = ports;
  const from = await settledPosition(registry.db, partition);
  const found = await findLosses(ports, partition);
  if (found === null) return null;
  const at = ports.clock();
  const { resumeAt: to, mark, losses } = found;
  const nothing = { moves: [], windows: [], issued: [], rejections: [], sightings: [], forks: [] };
  const settled = await settle(
    registry,
    { ...nothing, partition, from, to, mark, confirmations: [], at },
    async (trx) => {
      for (const loss of losses) await reportLoss(trx, loss, at);
      // What was read into the exposures stays; what comes now stands from here on.
      await trx
        .updateTable('exposure_positions')
        .set({ next_offset: to })
        .where('partition', '=', partition)
        .where('next_offset', '>', to)
        .execute();
    },
  );
  if (settled === null) throw new Error(`partition ${partition} was moved meanwhile: a server is running`);
  return found;
}

async function reasonOf({ log, registry }: Ports, partition: number): Promise<string | null> {
  try {
    await checkWhole(log, partition, await settledPosition(registry.db, partition));
    return null;
  } catch (error) {
    if (error instanceof LogTruncatedError || error instanceof LogMissingError) return error.message;
    throw error;
  }
}

type Left = {
  /** The size of each log at the newest append of it that is left, none beyond what was settled. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly oldest: number;
  readonly resumeAt: number;
  readonly mark: string | null;
};

async function readLeft(
  log: EventLog,
  partition: number,
  settled: ReadonlyMap<string, number>,
): Promise<Left> {
  const sizes = new Map<string, number>();
  const { oldest, next } = await endsOf(log, partition);
  const assembler = new AppendAssembler();
  let isCovered = true;
  let last: StoredRecord | null = null;
  for await (const records of next > oldest ? log.readRange(partition, oldest, next) : []) {
    for (const record of records) {
      for (const run of assembler.push(record)) {
        if (run.kind === 'broken') continue;
        const { origin, checkpoint } = run.append;
        // What stands beyond its head was appended after the loss, and never acknowledged.
        if (checkpoint.size > (settled.get(origin) ?? 0)) isCovered = false;
        else sizes.set(origin, Math.max(sizes.get(origin) ?? 0, checkpoint.size));
      }
      if (isCovered && assembler.openSince === null) last = record;
    }
  }
  const mark = last === null ? null : markOf(last, last.offset);
  return { sizes, oldest, resumeAt: last === null ? oldest : last.offset + 1, mark };
}

/** A topic that is gone holds nothing. */
async function endsOf(log: EventLog, partition: number): Promise<{ oldest: number; next: number }> {
  try {
    return await log.offsets(partition);
  } catch (error) {
    if (error instanceof LogMissingError) return { oldest: 0, next: 0 };
    throw error;
  }
}
