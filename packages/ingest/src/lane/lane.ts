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
import { WaitingQueue } from './waiting-queue.ts';
import { ToldLosses, watchWhole } from './watch.ts';
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
  readonly #stopReading = new AbortController();
  readonly #patience: Patience;
  readonly #queue: WaitingQueue;
  readonly #losses: ToldLosses;
  /**
   * Up to where this lane has seen the log; `unread` where it must read first, `away` where it could not. Only a
   * reading says that the log is back ({@link #read}): whatever else learns a position keeps to it and makes none.
   */
  #seen: Position | 'unread' | 'away' = 'unread';
  #running: Promise<void> | null = null;
  #writing: Promise<unknown> | null = null;
  #reading: Promise<boolean> | null = null;
  #healing: Promise<void> | null = null;
  #isWatched = false;
  /** Why this lane takes nothing any more. */
  #stopped: Fault | null = null;
  /** What requests are told whose outcome the newest failure has left unknown. */
  #failure: Fault = LOG_UNAVAILABLE;

  constructor(ports: LanePorts, partition: number, writeBytesMax: number) {
    this.#ports = ports;
    this.#partition = partition;
    this.#writeBytesMax = writeBytesMax;
    this.#losses = new ToldLosses(ports, partition, this.#stop.signal);
    this.#queue = new WaitingQueue(ports, partition);
    this.#patience = new Patience(ports.timing, () => this.#answerOverdue());
  }

  /** Whether the log has been read to its end and may be appended to. */
  get isReady(): boolean {
    return this.#stopped === null && this.#position !== null;
  }

  /** Why whatever is submitted now would be refused unseen; `null` where it would not. */
  get refusal(): LaneRefusal | null {
    if (this.#stopped !== null) return { reason: 'stopped', fault: this.#stopped };
    if (this.#seen === 'away') return { reason: 'log_away', fault: this.#failure };
    return this.#patience.isOver ? { reason: 'log_stalled', fault: LOG_STALLED } : null;
  }

  /** Reads the log to its end, as often as it takes. Resolves also where the lane stops meanwhile. */
  start(): Promise<void> {
    if (!this.#isWatched) {
      this.#isWatched = true;
      const lane = { settled: () => this.#position, lost: (error: Error) => this.#lost(error) };
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
    const refusal = this.refusal;
    if (refusal !== null) return this.#refused(refusal);
    const added = this.#queue.add(job, tenantBytesMax);
    if (!added.ok) return this.#refused(noRoom(added.refusal));
    this.#running ??= this.#run();
    return added.result;
  }

  /** Takes nothing new and resolves when all that was taken has settled. */
  async close(): Promise<void> {
    this.#stopped ??= { code: 'ERR_SHUTTING_DOWN', detail: 'this node is shutting down' };
    this.#stop.abort();
    // What is on its way into the log is still told what became of it; nobody else waits for the log any more.
    await this.#writing;
    this.#stopReading.abort();
    await this.#running;
    await this.#healing;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#queue.isEmpty) {
        // The embedded stores are synchronous: without this turn of the event loop, the first request would be
        // written before the next one could join it.
        await nextTurn();
        this.#patience.begin();
        if (!(await this.#ready())) break;
        await this.#writeNext();
      }
    } catch (error) {
      this.#failed(error, 'lane.write_failed');
    } finally {
      // Whatever has happened: nobody is left waiting, and the next request finds a lane that runs.
      this.#queue.endAll(this.#unknown);
      this.#patience.end();
      this.#running = null;
    }
  }

  async #writeNext(): Promise<void> {
    const jobs = this.#queue.take(this.#writeBytesMax);
    this.#patience.begin();
    const writing = this.#write(jobs);
    this.#writing = writing;
    try {
      this.#queue.endTaken(await writing, this.#unknown);
    } finally {
      this.#writing = null;
    }
  }

  /** Looks for the log until it has been read. However long it is away, this is one loop with one timer. */
  async #heal(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#stopped === null) {
      // Never beside a write: what that knows of the heads would outlive what is read meanwhile. It reads itself.
      while (this.#writing !== null) await this.#writing;
      await this.#ready();
      if (this.#position !== null) break;
      await pause(this.#ports.timing, RECOVERY_PAUSE_MS, signal);
    }
    this.#healing = null;
  }

  /** Sees to it that the log has been read to its end; whoever asks meanwhile waits for the same reading. */
  async #ready(): Promise<boolean> {
    if (this.#position !== null) return true;
    // A log that was cut may grow past where it was settled: read on, it would look whole.
    if (this.#isTruncated) return false;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<boolean> {
    try {
      const position = await recover(this.#ports, this.#partition, this.#stopReading.signal);
      // An append may have failed because the log takes less at once than before.
      this.#writeBytesMax = (await this.#ports.log.describe()).appendBytesMax;
      // A look has found meanwhile that this is not the log that was settled.
      if (this.#isTruncated) return false;
      this.#heads.clear();
      this.#seen = position;
      this.#losses.none();
      return true;
    } catch (error) {
      this.#failed(error, 'lane.recovery_failed', 'away');
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
    if (this.#position === null) return this.#resolveByReading(jobs);
    if (from.version !== this.#position.version) {
      // Another node has appended: its heads are in the registry.
      this.#heads.clear();
      this.#seen = from;
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
        // Here and below: a look may have found meanwhile that the log is not what it was.
        if (baseOffset > from.offset || this.#position === null) return this.#resolveByReading(jobs);
        const settled = await settleWrite(this.#ports, this.#partition, from, written, jobs, planned, heads);
        if (settled === null || this.#position === null) return this.#resolveByReading(jobs);
        return this.#moved(settled);
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
    this.#seen = position;
    this.#patience.settled();
    this.#heads.setAll([...results.keys()].map(keyOf), heads);
    return results;
  }

  /** Reads the log to its end, so that what became of the jobs is known and not guessed. */
  async #resolveByReading(jobs: readonly AppendJob[]): Promise<ReadonlyMap<AppendJob, JobResult>> {
    if (this.#position !== null) this.#seen = 'unread';
    try {
      if (!(await this.#ready())) return new Map();
      const heads = await this.#heads.load(this.#ports.registry.db, jobs.map(keyOf));
      return this.#position === null ? new Map() : new Map(jobs.map((job) => [job, judge(job, heads, true)]));
    } catch (error) {
      this.#failed(error, 'lane.write_unknown');
      return new Map();
    }
  }

  /** What was known of the log is not known any more, and the lane looks for it by itself. */
  #failed(error: unknown, event: string, seen: 'unread' | 'away' = 'unread'): void {
    const { logger } = this.#ports;
    this.#failure = faultOf(error);
    if (error instanceof LogTruncatedError) {
      this.#stopped = this.#failure;
      logger.fatal({ err: error, partition: this.#partition }, 'lane.stopped');
    } else {
      // Said once: while the log is away this lane looks for it every few seconds.
      const isSaid = this.#seen === 'away' || this.#stopReading.signal.aborted;
      logger[isSaid ? 'debug' : 'error']({ err: error, partition: this.#partition }, event);
    }
    this.#losses.tell(error);
    if (this.#seen !== 'away') this.#seen = seen;
    this.#healing ??= this.#heal();
  }

  /** A look has found that the log is not what it was. One that is only missing may come back as it was. */
  #lost(error: Error): void {
    if (!this.#isTruncated) this.#failed(error, 'lane.log_missing', 'away');
  }

  /** Up to where the log is known to hold what it should; `null` where that has to be read first. */
  get #position(): Position | null {
    return typeof this.#seen === 'string' ? null : this.#seen;
  }

  /** Then nothing is cosigned any more, whatever is under way. */
  get #isTruncated(): boolean {
    return this.#stopped?.code === 'ERR_LOG_TRUNCATED';
  }

  /** What those are told whose outcome is not known. */
  get #unknown(): JobResult {
    return { kind: 'refused', fault: this.#stopped ?? this.#failure };
  }

  /** Tells those who have waited long enough. What of them is on its way into the log goes on. */
  #answerOverdue(): void {
    const overdue = this.#queue.answerDue({ kind: 'refused', fault: LOG_UNSETTLED });
    for (let i = 0; i < overdue; i++) this.#ports.metrics.requestRefused('deadline');
  }

  #refused({ reason, fault }: LaneRefusal): Promise<JobResult> {
    this.#ports.metrics.requestRefused(reason);
    return Promise.resolve({ kind: 'refused', fault });
  }
}
