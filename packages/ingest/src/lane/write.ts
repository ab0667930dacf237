import { markOf, type AppendOutcome, type LogRecord } from '@tachograph/event-log';
import { buildRecords } from '../core/append-records.ts';
import { judgeSettled, planAppends, type Admitted, type AppendPlan } from '../core/append-plan.ts';
import type { Confirmation } from '../registry/confirmations.ts';
import type { Issued } from '../registry/cosigned.ts';
import { EMPTY_HEAD, logId, type Head, type WindowPart } from '../registry/heads.ts';
import { settle, type HeadMove, type Position, type Rejection } from '../registry/settlement.ts';
import { carriedBy, gatherFacts } from './facts.ts';
import { bytesOf, keyOf, type AppendJob, type JobResult } from './job.ts';
import type { LanePorts } from './ports.ts';

type Heads = ReadonlyMap<string, Head>;

/** The requests of one write, sorted by what they ask for. */
export function plan(jobs: readonly AppendJob[], heads: Heads): AppendPlan<AppendJob> {
  return planAppends(
    jobs,
    (job) => job.source.claim,
    (job) => logId(keyOf(job)),
    (log) => (heads.get(log) ?? EMPTY_HEAD).range,
  );
}

/** What one write put into the log: how many records, and the last of them. */
export type Written = { readonly count: number; readonly last: LogRecord | null };

/** Appends what was admitted, in one piece, and measures it. Nothing to append settles at `settled` at once. */
export async function appendAll(
  ports: LanePorts,
  partition: number,
  settled: number,
  { admitted }: AppendPlan<AppendJob>,
  heads: Heads,
): Promise<{ outcome: AppendOutcome; written: Written; firsts: readonly number[] }> {
  const records: LogRecord[] = [];
  const firsts: number[] = [];
  const facts = await gatherFacts(ports, admitted, heads);
  for (const [i, { job, edge }] of admitted.entries()) {
    firsts.push(records.length);
    for (const record of buildRecords(job.source, { edge, ...facts[i]! })) records.push(record);
  }
  const written = { count: records.length, last: records.at(-1) ?? null };
  if (records.length === 0) return { outcome: { kind: 'appended', baseOffset: settled }, written, firsts };
  const startedMs = performance.now();
  const deadline = new AbortController();
  // Not AbortSignal.timeout: its timer cannot be called off, and there may be a thousand writes before it is due.
  const cancel = ports.timing.after(ports.appendTimeoutMs, () =>
    deadline.abort(new Error(`the log did not settle an append within ${ports.appendTimeoutMs} ms`)),
  );
  const outcome = await ports.log
    .append(partition, records, deadline.signal)
    .catch((cause: unknown): AppendOutcome => ({ kind: 'ambiguous', cause }))
    .finally(cancel);
  const bytes = admitted.reduce((sum, { job }) => sum + bytesOf(job), 0);
  ports.metrics.laneWrote(admitted.length, bytes, (performance.now() - startedMs) / 1000);
  return { outcome, written, firsts };
}

/** The heads after a write, and the results of its jobs, once both are settled. */
export type Settled = {
  readonly position: Position;
  readonly heads: Heads;
  readonly results: ReadonlyMap<AppendJob, JobResult>;
};

/**
 * Moves the heads of what was just appended at exactly the settled offset.
 * @returns `null` where another node has moved the offset meanwhile
 */
export async function settleWrite(
  ports: LanePorts,
  partition: number,
  from: Position,
  { count, last }: Written,
  jobs: readonly AppendJob[],
  { admitted, present, others }: AppendPlan<AppendJob>,
  heads: Heads,
): Promise<Settled | null> {
  // Taken when the leaves are durable and before the registry confirms that this still is the newest state.
  const at = ports.clock();
  const nowSeconds = Math.floor(at / 1000);
  const moved = new Map(heads);
  const moves = new Map<string, HeadMove>();
  const windows: WindowPart[] = [];
  const issued: Issued[] = [];
  const results = new Map<AppendJob, JobResult>();
  const to = from.offset + count;
  let endOffset = from.offset;
  const move = (job: AppendJob, head: Head, anchor: number | null, end: number | null): void => {
    const key = keyOf(job);
    const cosignedSeconds = Math.max(nowSeconds, head.cosignedSeconds);
    moved.set(logId(key), { ...head, cosignedSeconds });
    moves.set(logId(key), { ...key, head: { ...head, cosignedSeconds }, anchor, endOffset: end });
    issued.push({ ...key, size: head.range.size, timeSeconds: cosignedSeconds });
    results.set(job, { kind: 'settled', cosignedSeconds });
  };
  for (const item of admitted) {
    const { job, edge, next } = item;
    const before = moved.get(logId(keyOf(job))) ?? EMPTY_HEAD;
    const carried = carriedBy(job, before);
    endOffset += job.source.leaves.length;
    const head = { ...before, range: next, checkpoint: job.source.checkpoint, carried };
    move(job, head, anchorOf(item), endOffset);
    windows.push({ ...keyOf(job), from: edge, hashes: job.source.claim.leafHashes });
  }
  for (const job of present) {
    const head = moved.get(logId(keyOf(job))) ?? EMPTY_HEAD;
    move(
      job,
      { ...head, checkpoint: job.source.claim.size === 0 ? null : job.source.checkpoint },
      null,
      null,
    );
  }
  const position = await settle(ports.registry, {
    partition,
    from,
    to,
    mark: last === null ? from.mark : markOf(last, to - 1),
    moves: [...moves.values()],
    windows,
    issued,
    rejections: admitted.flatMap(rejectionsOf),
    sightings: jobs.flatMap((job) => job.sighting ?? []),
    forks: [],
    confirmations: admitted.flatMap(confirmationsOf),
    at,
  });
  if (position === null) return null;
  for (const job of others) results.set(job, judge(job, moved, false));
  return { position, heads: moved, results };
}

/** What a job has come to, from the state that its log has been read to have. */
export function judge(job: AppendJob, heads: Heads, own: boolean): JobResult {
  const head = heads.get(logId(keyOf(job))) ?? EMPTY_HEAD;
  const verdict = judgeSettled(head.range, job.source.claim, own);
  switch (verdict) {
    case 'settled':
      return { kind: 'settled', cosignedSeconds: head.cosignedSeconds };
    case 'absent':
      return {
        kind: 'refused',
        fault: { code: 'ERR_LOG_UNAVAILABLE', detail: 'the log did not settle the append' },
      };
    default:
      return { kind: verdict, head };
  }
}

function anchorOf({ job }: Admitted<AppendJob>): number | null {
  const last = job.source.leaves[job.source.leaves.length - 1]?.content;
  return last?.kind === 'event' ? (last.seen?.size ?? null) : null;
}

function rejectionsOf({ job }: Admitted<AppendJob>): Rejection[] {
  return job.source.leaves.flatMap(({ content }, i) =>
    content.kind === 'rejected'
      ? [{ ...keyOf(job), index: job.source.claim.old + i, code: content.code }]
      : [],
  );
}

function confirmationsOf({ job }: Admitted<AppendJob>): Confirmation[] {
  return job.source.leaves.flatMap(({ content }) =>
    content.kind === 'event' && content.attests !== null ? [{ ...keyOf(job), attests: content.attests }] : [],
  );
}
