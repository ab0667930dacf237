import {
  AppendAssembler,
  decideWithEvidence,
  HEADER,
  markOf,
  type AssembledRun,
  type Decided,
  type LoggedAppend,
  type StoredRecord,
} from '@tachograph/event-log';
import { parseOrigin, verifyCosignature, type Bytes, type CompactRange } from '@tachograph/wire';
import { ATTESTING, readLeaf } from '../core/leaf-content.ts';
import type { Confirmation } from '../registry/confirmations.ts';
import type { ForkProof } from '../registry/forks.ts';
import {
  EMPTY_HEAD,
  loadHeads,
  loadWindow,
  logId,
  type Head,
  type LogKey,
  type WindowPart,
} from '../registry/heads.ts';
import {
  settle,
  settledPosition,
  type HeadMove,
  type Position,
  type Rejection,
} from '../registry/settlement.ts';
import type { LanePorts } from './ports.ts';
import { boundedReads, type LogReads } from './bounded-reads.ts';
import { checkWhole } from './whole.ts';

/** How many records are folded in memory before the registry takes them. */
const FOLD_RECORDS_MAX = 20_000;

/**
 * Reads the partition from the registry's settled offset to its end, runs the readers' filter over it and moves
 * the heads that it accepts. Start, crash, an ambiguous outcome and another node's writes are all this.
 *
 * @param stop ends the waiting for the log, each answer of which has its time besides
 * @returns the position that the registry holds now
 * @throws LogTruncatedError where the log does not hold what was settled
 */
export async function recover(ports: LanePorts, partition: number, stop: AbortSignal): Promise<Position> {
  const { timing, appendTimeoutMs: waitMsMax } = ports;
  const log = boundedReads(ports.log, { timing, waitMsMax, stop });
  for (;;) {
    const settled = await settledPosition(ports.registry.db, partition);
    const { oldest, next } = await checkWhole(log, partition, settled);
    const { offset } = settled;
    if (next === offset) return settled;
    if (oldest > offset) ports.logger.warn({ partition, settled: offset, oldest }, 'log.expired_unread');
    const reached = await fold(ports, log, partition, settled, Math.max(offset, oldest), next);
    if (reached !== null) return reached;
  }
}

/** Folds [from, to) and answers the position reached, or `null` where another node has moved the offset meanwhile. */
async function fold(
  ports: LanePorts,
  log: LogReads,
  partition: number,
  settled: Position,
  from: number,
  to: number,
): Promise<Position | null> {
  const assembler = new AppendAssembler();
  let folded = new Folding(ports);
  let since = settled;
  let records = 0;
  let before: StoredRecord | null = null;
  let last: StoredRecord | null = null;
  const save = async (reached: number): Promise<boolean> => {
    const position = await folded.settle(partition, since, reached, before);
    if (position === null) return false;
    since = position;
    folded = new Folding(ports);
    return true;
  };
  for await (const batch of log.readRange(partition, from, to)) {
    for (const record of batch) {
      for (const run of assembler.push(record)) await folded.take(run);
      // The last record before the position that is reached: an append that has not ended is not before it.
      if (assembler.openSince === null) before = record;
      else if (assembler.openSince === record.offset) before = last ?? before;
      last = record;
      records++;
      if (records % FOLD_RECORDS_MAX !== 0) continue;
      if (!(await save(assembler.openSince ?? record.offset + 1))) return null;
    }
  }
  // An append without its end stays unsettled: the next record will close it, one way or the other.
  if (!(await save(assembler.openSince ?? to))) return null;
  ports.metrics.laneRecovered(partition, records);
  ports.logger.info({ partition, from: settled.offset, to: since.offset, records }, 'lane.recovered');
  return since;
}

/** Heads and all that goes with them, as a stretch of the log makes them. */
class Folding {
  readonly #ports: LanePorts;
  readonly #heads = new Map<string, HeadMove>();
  readonly #windows: WindowPart[] = [];
  readonly #rejections: Rejection[] = [];
  readonly #forks: ForkProof[] = [];
  readonly #confirmations: Confirmation[] = [];

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  async take(run: AssembledRun): Promise<void> {
    const { metrics, logger, authority } = this.#ports;
    if (run.kind === 'broken') {
      metrics.filterAlarm('broken');
      logger.warn({ offset: run.broken.records[0]?.offset, reason: run.broken.reason }, 'log.run_broken');
      return;
    }
    const { append } = run;
    const names = parseOrigin(append.origin);
    if (!names.ok || names.value.authority !== authority) return metrics.filterAlarm('invalid');
    const key = { tenant: names.value.tenant, device: names.value.device };
    const head = await this.#head(key);
    const { decision, vouchedSeconds } = await this.#decide(key, head, append);
    switch (decision.kind) {
      case 'accepted':
        return this.#move(key, head, append, { ...decision, vouchedSeconds });
      case 'fork':
        return this.#fork(key, head, append, decision.index);
      case 'duplicate':
        return;
      default:
        metrics.filterAlarm(decision.kind);
        logger.warn({ origin: append.origin, decision: decision.kind }, 'log.append_ignored');
    }
  }

  /** `last` is the newest record before `to`, where one was read. */
  async settle(
    partition: number,
    from: Position,
    to: number,
    last: StoredRecord | null,
  ): Promise<Position | null> {
    const at = this.#ports.clock();
    const nowSeconds = Math.floor(at / 1000);
    const moves: HeadMove[] = [...this.#heads.values()].map(
      ({ tenant, device, head, anchor, endOffset }) => ({
        tenant,
        device,
        head: { ...head, cosignedSeconds: Math.max(nowSeconds, head.cosignedSeconds) },
        anchor,
        endOffset,
      }),
    );
    return settle(this.#ports.registry, {
      partition,
      from,
      to,
      mark: last === null ? from.mark : markOf(last, last.offset),
      moves,
      windows: this.#windows,
      issued: moves.map(({ tenant, device, head }) => ({
        tenant,
        device,
        size: head.range.size,
        timeSeconds: head.cosignedSeconds,
      })),
      rejections: this.#rejections,
      sightings: [],
      forks: this.#forks,
      confirmations: this.#confirmations,
      at,
    });
  }

  async #head(key: LogKey): Promise<Head | null> {
    const known = this.#heads.get(logId(key));
    if (known !== undefined) return known.head;
    return (await loadHeads(this.#ports.registry.db, [key])).get(logId(key)) ?? null;
  }

  /** What the readers' filter decides, with the same evidence: ingest may cosign only what they deliver. */
  async #decide(key: LogKey, head: Head | null, append: LoggedAppend): Promise<Decided> {
    return decideWithEvidence(head, append, {
      window: () => this.#window(key, (head ?? EMPTY_HEAD).range),
      receiptSeconds: async (receipt) => {
        const { cosignerKeys } = this.#ports;
        return (await verifyCosignature(receipt, receipt.note.signatures, cosignerKeys))?.timestamp ?? null;
      },
    });
  }

  async #window(key: LogKey, head: CompactRange) {
    const hashes: Bytes[] = [];
    let from = head;
    // What this stretch has added stands at the end; the registry holds what was there before.
    for (const part of this.#windows.toReversed()) {
      if (logId(part) !== logId(key) || part.from.size + part.hashes.length !== from.size) continue;
      hashes.unshift(...part.hashes);
      from = part.from;
    }
    const stored = await loadWindow(this.#ports.registry.db, key, from);
    return { from: stored.from, hashes: [...stored.hashes, ...hashes] };
  }

  #move(
    key: LogKey,
    head: Head | null,
    append: LoggedAppend,
    accepted: Extract<Decided['decision'], { kind: 'accepted' }> & Pick<Decided, 'vouchedSeconds'>,
  ): void {
    const { base, next, deliverFrom, gap, vouchedSeconds } = accepted;
    if (gap !== null) {
      this.#ports.metrics.filterAlarm('gap');
      this.#ports.logger.error({ origin: append.origin, ...gap }, 'log.gap_found');
    }
    const records = append.records.slice(deliverFrom);
    const last = readLeaf(records[records.length - 1]!.value, true).content;
    const first = base.size === 0 ? readLeaf(records[0]!.value, true).content : null;
    const carried = first?.kind === 'event' ? first.carried : (head?.carried ?? null);
    this.#heads.set(logId(key), {
      ...key,
      head: {
        range: next,
        checkpoint: append.checkpoint.source,
        cosignedSeconds: head?.cosignedSeconds ?? 0,
        carried,
        adoptedSeconds: vouchedSeconds ?? head?.adoptedSeconds ?? null,
      },
      anchor: last.kind === 'event' ? (last.seen?.size ?? null) : null,
      endOffset: records[records.length - 1]!.offset + 1,
    });
    this.#windows.push({ ...key, from: base, hashes: append.leafHashes.slice(deliverFrom) });
    for (const [i, record] of records.entries()) {
      const code = record.headers[HEADER.rejected];
      if (code !== undefined) this.#rejections.push({ ...key, index: base.size + i, code });
      const mayAttest = ATTESTING.has(record.headers[HEADER.type] ?? '');
      const content = mayAttest ? readLeaf(record.value, false).content : null;
      if (content?.kind === 'event' && content.attests !== null) {
        this.#confirmations.push({ ...key, attests: content.attests });
      }
    }
  }

  async #fork(key: LogKey, head: Head | null, append: LoggedAppend, index: number): Promise<void> {
    // After a restore no checkpoint of the device is known: what ingest cosigned is the evidence then.
    const { range, checkpoint, cosignedSeconds } = head ?? EMPTY_HEAD;
    const accepted =
      checkpoint ?? (await this.#ports.cosigned(append.checkpoint.origin, range, cosignedSeconds));
    this.#ports.metrics.filterAlarm('fork');
    this.#forks.push({
      ...key,
      index,
      accepted,
      submitted: append.checkpoint,
      differing: [],
      detectedAt: this.#ports.clock(),
    });
  }
}
