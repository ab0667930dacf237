import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { ErrorCode, Fault } from '@tachograph/wire';
import { settledPosition, type Position } from '../registry/settlement.ts';
import { REGISTRY_UNAVAILABLE, RegistryUnavailableError } from '../registry/unavailable.ts';
import { HeadCache } from './head-cache.ts';
import { bytesOf, keyOf, type AppendJob, type JobResult } from './job.ts';
import { LogTruncatedError, type LanePorts } from './ports.ts';
import { recover } from './recovery.ts';
import { appendAll, judge, plan, settleWrite, type Settled } from './write.ts';

type Waiting = {
  readonly job: AppendJob;
  readonly bytes: number;
  readonly resolve: (result: JobResult) => void;
};

const RECOVERY_PAUSE_MS = 500;
const LOG_UNAVAILABLE: Fault = { code: 'ERR_LOG_UNAVAILABLE', detail: 'the log did not settle the append' };

/**
 * One partition's way into the ordered log. At most one append is unsettled; whoever comes meanwhile waits and
 * shares the next one. Nothing is answered as settled before it is durable *and* the registry has agreed that
 * nothing else came between.
 */
export class Lane {
  readonly #ports: LanePorts;
  readonly #partition: number;
  readonly #writeBytesMax: number;
  readonly #heads = new HeadCache();
  readonly #stop = new AbortController();
  #queue: Waiting[] = [];
  #waitingBytes = 0;
  /** The offset up to which this lane has seen the log; `null` where it must read first. */
  #settled: Position | null = null;
  #running: Promise<void> | null = null;
  #reading: Promise<boolean> | null = null;
  /** Why this lane takes nothing any more. */
  #stopped: Fault | null = null;
  /** What requests are told whose outcome the newest failure has left unknown. */
  #failure: Fault = LOG_UNAVAILABLE;

  constructor(ports: LanePorts, partition: number, writeBytesMax: number) {
    this.#ports = ports;
    this.#partition = partition;
    this.#writeBytesMax = writeBytesMax;
  }

  /** Whether the log has been read to its end and may be appended to. */
  get isReady(): boolean {
    return this.#stopped === null && this.#settled !== null;
  }

  /** Reads the log to its end, as often as it takes. Resolves also where the lane stops meanwhile. */
  async start(): Promise<void> {
    while (this.#stopped === null && this.#settled === null) {
      if (await this.#ready()) return;
      await delay(RECOVERY_PAUSE_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** Resolves when the job has settled; at once where the lane is full or stopped. Never rejects. */
  submit(job: AppendJob): Promise<JobResult> {
    const bytes = bytesOf(job);
    if (this.#stopped !== null) return Promise.resolve({ kind: 'refused', fault: this.#stopped });
    if (this.#waitingBytes + bytes > this.#ports.laneBytesMax) {
      return Promise.resolve(refused('ERR_OVERLOADED', 'too many bytes are waiting to be appended'));
    }
    this.#count(bytes);
    return new Promise((resolve) => {
      this.#queue.push({ job, bytes, resolve });
      this.#running ??= this.#run();
    });
  }

  /** Takes nothing new and resolves when all that was taken has settled. */
  async close(): Promise<void> {
    this.#stopped ??= { code: 'ERR_SHUTTING_DOWN', detail: 'this node is shutting down' };
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // The embedded stores are synchronous: without this turn of the event loop, the first request would be
      // written before the next one could join it.
      await nextTurn();
      if (!(await this.#ready())) {
        this.#refuseAll(this.#stopped ?? this.#failure);
        break;
      }
      const taken = this.#take();
      const results = await this.#write(taken.map(({ job }) => job));
      for (const { job, bytes, resolve } of taken) {
        this.#count(-bytes);
        resolve(results.get(job) ?? { kind: 'refused', fault: this.#stopped ?? this.#failure });
      }
    }
    this.#running = null;
  }

  /** Sees to it that the log has been read to its end; whoever asks meanwhile waits for the same reading. */
  async #ready(): Promise<boolean> {
    if (this.#settled !== null) return true;
    // A log that was cut may grow past where it was settled: read on, it would look whole.
    if (this.#stopped?.code === 'ERR_LOG_TRUNCATED') return false;
    this.#reading ??= this.#read();
    const done = await this.#reading;
    this.#reading = null;
    return done;
  }

  async #read(): Promise<boolean> {
    try {
      this.#heads.clear();
      this.#settled = await recover(this.#ports, this.#partition);
      return true;
    } catch (error) {
      this.#failed(error, 'lane.recovery_failed');
      return false;
    }
  }

  /** As many waiting requests as one append to the log may hold, at least one. */
  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > this.#writeBytesMax) break;
      count++;
    }
    return this.#queue.splice(0, count);
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
    const { outcome, count, firsts } = await appendAll(
      this.#ports,
      this.#partition,
      from.offset,
      planned,
      heads,
    );
    switch (outcome.kind) {
      case 'appended': {
        const { baseOffset } = outcome;
        if (baseOffset < from.offset) throw new LogTruncatedError(this.#partition, from.offset, baseOffset);
        if (baseOffset > from.offset) return this.#resolveByReading(jobs);
        const settled = await settleWrite(this.#ports, this.#partition, from, count, jobs, planned, heads);
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
    const { logger } = this.#ports;
    if (error instanceof LogTruncatedError) {
      this.#stopped = { code: 'ERR_LOG_TRUNCATED', detail: error.message };
      logger.fatal({ err: error, partition: this.#partition }, 'lane.stopped');
    } else {
      logger.error({ err: error, partition: this.#partition }, event);
    }
    this.#failure = error instanceof RegistryUnavailableError ? REGISTRY_UNAVAILABLE : LOG_UNAVAILABLE;
    this.#settled = null;
  }

  #refuseAll(fault: Fault): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const { bytes, resolve } of waiting) {
      this.#count(-bytes);
      resolve({ kind: 'refused', fault });
    }
  }

  #count(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#ports.metrics.laneWaiting(this.#partition, this.#waitingBytes);
  }
}

function refused(code: ErrorCode, detail: string): JobResult {
  return { kind: 'refused', fault: { code, detail } };
}
