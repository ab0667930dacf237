import type { AppendJob, JobResult } from './job.ts';
import type { LanePorts } from './ports.ts';
import type { WaitingRefusal } from './waiting-bytes.ts';
import { heldBytesOf, Waiting } from './waiting.ts';

/** Those who wait for one lane, first come, first served. All wait equally long at most, so the first is due first. */
export class WaitingQueue {
  readonly #ports: Pick<LanePorts, 'waiting' | 'timing' | 'metrics' | 'appendTimeoutMs'>;
  readonly #partition: number;
  #queue: Waiting[] = [];
  /** Those whose append is on its way. */
  #taken: readonly Waiting[] = [];

  constructor(ports: LanePorts, partition: number) {
    this.#ports = ports;
    this.#partition = partition;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Takes a job in where there is room for it; `tenantBytesMax` bounds what may wait of its tenant. */
  add(
    job: AppendJob,
    tenantBytesMax: number | null,
  ):
    | { readonly ok: true; readonly result: Promise<JobResult> }
    | { readonly ok: false; refusal: WaitingRefusal } {
    const { waiting, timing, metrics, appendTimeoutMs } = this.#ports;
    const partition = this.#partition;
    const { tenant } = job.source;
    const claim = waiting.claim({ partition, tenant, bytes: heldBytesOf(job), tenantBytesMax });
    if (!claim.ok) return claim;
    const measure = (): void => metrics.laneWaiting(partition, waiting.ofLane(partition));
    const waiter = new Waiting(job, timing.now() + appendTimeoutMs, () => {
      claim.release();
      measure();
    });
    measure();
    this.#queue.push(waiter);
    return { ok: true, result: waiter.result };
  }

  /** As many as one append to the log of `bytesMax` may hold, at least one. They are ended before the next are taken. */
  take(bytesMax: number): AppendJob[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > bytesMax) break;
      count++;
    }
    this.#taken = this.#queue.splice(0, count);
    return this.#taken.map(({ job }) => job);
  }

  /** Ends those that were taken, with their results or else with `unknown`. */
  endTaken(results: ReadonlyMap<AppendJob, JobResult>, unknown: JobResult): void {
    const taken = this.#taken;
    this.#taken = [];
    for (const waiting of taken) waiting.end(results.get(waiting.job) ?? unknown);
  }

  /** Ends all of them. */
  endAll(result: JobResult): void {
    this.endTaken(new Map(), result);
    const all = this.#queue;
    this.#queue = [];
    for (const waiting of all) waiting.end(result);
  }

  /**
   * Answers those whose time is up, and tells how many they were. They are ended, too, unless they were taken: what
   * is on its way into the log goes on.
   */
  answerDue(result: JobResult): number {
    const nowMs = this.#ports.timing.now();
    const overdue = this.#taken.filter((waiting) => waiting.isDue(nowMs));
    for (const waiting of overdue) waiting.answer(result);
    const others = this.#queue.findIndex((waiting) => !waiting.isDue(nowMs));
    const due = this.#queue.splice(0, others < 0 ? this.#queue.length : others);
    for (const waiting of due) waiting.end(result);
    return overdue.length + due.length;
  }
}
