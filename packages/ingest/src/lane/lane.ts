import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Fault } from '@tachograph/wire';
import { settledPosition, type Position } from '../registry/settlement.ts';
import { pause } from '../timing.ts';
import { HeadCache } from './head-cache.ts';
import { keyOf, type AppendJob, type JobResult } from './job.ts';
import { Patience } from './patience.ts';
import { LogTruncatedError, type LanePorts } from './ports.ts';
import { recover } from './recovery.ts';
import { faultOf, LOG_STALLED, LOG_UNAVAILABLE, LOG_UNSETTLED, noRoom, type LaneRefusal } from './refusal.ts';
import { heldBytesOf, Waiting } from './waiting.ts';
import { WaitingQueue } from './waiting-queue.ts';
import { isLoss, nameLosses, watchWhole } from './watch.ts';
import { appendedTooEarly } from './whole.ts';
import { appendAll, judge, plan, settleWrite, type Settled } from './write.ts';

const RECOVERY_PAUSE_MS = 250;

/**
 * One partition's way into the ordered log. At most one append is unsettled; whoever comes meanwhile waits and
 * shares the next one. Nothing is answered as settled before it is durable *and* the registry has agreed that
 * nothing else came between.
 *
 * Nobody is made to wait for a log that does not come: while it takes longer than usual, or could not be read, new
 * requests are refused at once, and the lane itself looks for it until it is back.
 */
export class Lane {
  readonly #ports: LanePorts;
  readonly #partition: number;
  #writeBytesMax: number;
  readonly #heads = new HeadCache();
  readonly #stop = new AbortController();
  readonly #patience: Patience;
  readonly #queue = new WaitingQueue();
  #inFlight: readonly Waiting[] = [];
  /** The offset up to which this lane has seen the log; `null` where it must read first. */
  #settled: Position | null = null;
  #running: Promise<void> | null = null;
  #reading: Promise<boolean> | null = null;
  #healing: Promise<void> | null = null;
  #isWatched = false;
  /** What the log has lost has been named since it was last read. */
  #isNamed = false;
  /** The log could not be read, and has not been read since. */
  #isAway = false;
  /** Why this lane takes nothing any more. */
  #stopped: Fault | null = null;
  /** What requests are told whose outcome the newest failure has left unknown. */
  #failure: Fault = LOG_UNAVAILABLE;

  constructor(ports: LanePorts, partition: number, writeBytesMax: number) {
    this.#ports = ports;
    this.#partition = partition;
    this.#writeBytesMax = writeBytesMax;
    this.#patience = new Patience(ports.timing, () => this.#answerOverdue());
  }

  /** Whether the log has been read to its end and may be appended to. */
  get isReady(): boolean {
    return this.#stopped === null && this.#settled !== null;
  }

  /** Why whatever is submitted now would be refused unseen; `null` where it would not. */
  get refusal(): LaneRefusal | null {
    if (this.#stopped !== null) return { reason: 'stopped', fault: this.#stopped };
    if (this.#isAway) return { reason: 'log_away', fault: this.#failure };
    return this.#patience.isOver ? { reason: 'log_stalled', fault: LOG_STALLED } : null;
  }

  /** Reads the log to its end, as often as it takes. Resolves also where the lane stops meanwhile. */
  start(): Promise<void> {
    if (!this.#isWatched) {
      this.#isWatched = true;
      const lane = { settled: () => this.#settled, lost: (error: Error) => this.#lost(error) };
      // It only reads, so nobody waits for its end.
      void watchWhole(this.#ports, this.#partition, lane, this.#stop.signal);
    }
    this.#healing ??= this.#heal();
    return this.#healing;
  }

  /**
   * Resolves when the job has settled or its time is up; at once where there is no room or the log does not come.
   * Never rejects. `tenantBytesMax` bounds what may wait of its tenant.
   */
  submit(job: AppendJob, tenantBytesMax: number | null): Promise<JobResult> {
    const { waiting, timing, metrics, appendTimeoutMs } = this.#ports;
    const refusal = this.refusal;
    if (refusal !== null) return this.#refused(refusal);
    const { tenant } = job.source;
    const bytes = heldBytesOf(job);
    const claim = waiting.claim({ partition: this.#partition, tenant, bytes, tenantBytesMax });
    if (!claim.ok) return this.#refused(noRoom(claim.refusal));
    const measure = (): void => metrics.laneWaiting(this.#partition, waiting.ofLane(this.#partition));
    const waiter = new Waiting(job, timing.now() + appendTimeoutMs, () => {
      claim.release();
      measure();
    });
    measure();
    this.#queue.push(waiter);
    this.#running ??= this.#run();
    return waiter.result;
  }

  /** Takes nothing new and resolves when all that was taken has settled. */
  async close(): Promise<void> {
    this.#stopped ??= { code: 'ERR_SHUTTING_DOWN', detail: 'this node is shutting down' };
    this.#stop.abort();
    await this.#running;
    await this.#healing;
  }

  async #run(): Promise<void> {
    while (!this.#queue.isEmpty) {
      // The embedded stores are synchronous: without this turn of the event loop, the first request would be
      // written before the next one could join it.
      await nextTurn();
      this.#patience.begin();
      if (!(await this.#ready())) {
        this.#queue.endAll({ kind: 'refused', fault: this.#stopped ?? this.#failure });
        break;
      }
      this.#inFlight = this.#queue.take(this.#writeBytesMax);
      this.#patience.begin();
      const results = await this.#write(this.#inFlight.map(({ job }) => job));
      for (const waiting of this.#inFlight) {
        waiting.end(results.get(waiting.job) ?? { kind: 'refused', fault: this.#stopped ?? this.#failure });
      }
      this.#inFlight = [];
    }
    this.#patience.end();
    this.#running = null;
  }

  /** Looks for the log until it has been read. However long it is away, this is one loop with one timer. */
  async #heal(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#stopped === null && !(await this.#ready())) {
      await pause(this.#ports.timing, RECOVERY_PAUSE_MS, signal);
    }
    this.#healing = null;
  }

  /** Sees to it that the log has been read to its end; whoever asks meanwhile waits for the same reading. */
  async #ready(): Promise<boolean> {
    if (this.#settled !== null) return true;
    // A log that was cut may grow past where it was settled: read on, it would look whole.
    if (this.#isTruncated) return false;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<boolean> {
    try {
      this.#heads.clear();
      const settled = await recover(this.#ports, this.#partition);
      // An append may have failed because the log takes less at once than before.
      this.#writeBytesMax = (await this.#ports.log.describe()).appendBytesMax;
      this.#settled = settled;
      this.#isAway = false;
      this.#ports.metrics.laneLost(this.#partition, 0);
      this.#isNamed = false;
      return true;
    } catch (error) {
      this.#failed(error, 'lane.recovery_failed');
      this.#isAway = true;
      this.#healing ??= this.#heal();
      return false;
    } finally {
      this.#reading = null;
    }
  }

  /** The results of `jobs`; those that are missing from it are unknown. */
  async #write(jobs: readonly AppendJob[]): Promise<ReadonlyMap<AppendJob, JobResult>> {
    try {
      return await this.#append(jobs);
    } catch (error) {
      // Whatever failed may have been done: only reading tells.
      this.#failed(error, 'lane.write_failed');
      return this.#resolveByReading(jobs);
    }
  }

  async #append(jobs: readonly AppendJob[]): Promise<ReadonlyMap<AppendJob, JobResult>> {
    const { registry } = this.#ports;
    const from = await settledPosition(registry.db, this.#partition);
    if (from.version !== this.#settled?.version) {
      // Another node has appended: its heads are in the registry.
      this.#heads.clear();
      this.#settled = from;
    }
    const heads = await this.#heads.load(registry.db, jobs.map(keyOf));
    const planned = plan(jobs, heads);
    const { outcome, written, firsts } = await appendAll(
      this.#ports,
      this.#partition,
      from.offset,
      planned,
      heads,
    );
    switch (outcome.kind) {
      case 'appended': {
        const { baseOffset } = outcome;
        if (baseOffset < from.offset) throw appendedTooEarly(this.#partition, from.offset, baseOffset);
        if (baseOffset > from.offset || this.#isTruncated) return this.#resolveByReading(jobs);
        const settled = await settleWrite(this.#ports, this.#partition, from, written, jobs, planned, heads);
        return settled === null ? this.#resolveByReading(jobs) : this.#moved(settled);
      }
      case 'rejected': {
        // Nothing was appended, and one request is at fault: the others go on without it.
        const culprit = planned.admitted[firsts.findLastIndex((first) => first <= outcome.culprit)]!.job;
        const others = jobs.filter((job) => job !== culprit);
        const results = new Map(others.length === 0 ? [] : await this.#append(others));
        return results.set(culprit, { kind: 'refused', fault: outcome.fault });
      }
      default:
        this.#failed(outcome.cause, 'lane.append_ambiguous');
        return this.#resolveByReading(jobs);
    }
  }

  #moved({ position, heads, results }: Settled): Settled['results'] {
    this.#settled = position;
    this.#patience.settled();
    for (const job of results.keys()) {
      const key = keyOf(job);
      const head = heads.get(`${key.tenant}/${key.device}`);
      if (head !== undefined) this.#heads.set(key, head);
    }
    return results;
  }

  /** Reads the log to its end, so that what became of the jobs is known and not guessed. */
  async #resolveByReading(jobs: readonly AppendJob[]): Promise<ReadonlyMap<AppendJob, JobResult>> {
    this.#settled = null;
    if (!(await this.#ready())) return new Map();
    const heads = await this.#heads.load(this.#ports.registry.db, jobs.map(keyOf));
    return new Map(jobs.map((job) => [job, judge(job, heads, true)]));
  }

  #failed(error: unknown, event: string): void {
    const { logger, metrics } = this.#ports;
    if (error instanceof LogTruncatedError) {
      this.#stopped = { code: 'ERR_LOG_TRUNCATED', detail: error.message };
      logger.fatal({ err: error, partition: this.#partition }, 'lane.stopped');
    } else {
      // Said once: while the log is away this lane looks for it every few seconds.
      logger[this.#isAway ? 'debug' : 'error']({ err: error, partition: this.#partition }, event);
    }
    if (isLoss(error) && !this.#isNamed) {
      this.#isNamed = true;
      metrics.laneLossFound(this.#partition);
      void nameLosses(this.#ports, this.#partition, this.#stop.signal);
    }
    this.#failure = faultOf(error);
    this.#settled = null;
  }

  /** A look has found that the log is not what it was. */
  #lost(error: Error): void {
    if (this.#isTruncated) return;
    this.#failed(error, 'lane.log_missing');
    // One that is only missing may come back as it was: the lane looks for it.
    this.#isAway = true;
    this.#healing ??= this.#heal();
  }

  /** Then nothing is cosigned any more, whatever is under way. */
  get #isTruncated(): boolean {
    return this.#stopped?.code === 'ERR_LOG_TRUNCATED';
  }

  /** Tells those who have waited long enough. What of them is on its way into the log goes on. */
  #answerOverdue(): void {
    const now = this.#ports.timing.now();
    const result = { kind: 'refused', fault: LOG_UNSETTLED } as const;
    const overdue = this.#inFlight.filter((waiting) => waiting.isDue(now));
    for (const waiting of overdue) waiting.answer(result);
    const dropped = this.#queue.endDue(now, result);
    for (let i = 0; i < overdue.length + dropped; i++) this.#ports.metrics.requestRefused('deadline');
  }

  #refused({ reason, fault }: LaneRefusal): Promise<JobResult> {
    this.#ports.metrics.requestRefused(reason);
    return Promise.resolve({ kind: 'refused', fault });
  }
}
