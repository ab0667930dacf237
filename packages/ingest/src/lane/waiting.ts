import { bytesOf, type AppendJob, type JobResult } from './job.ts';

/** What a waiting request takes beside its append: its connection, its streams, what is parsed. A generous estimate. */
const REQUEST_BYTES = 16 * 1024;

/** What a job counts against the bounds of memory while it waits. */
export function heldBytesOf(job: AppendJob): number {
  return bytesOf(job) + REQUEST_BYTES;
}

/** A job that waits for its lane. It is answered once, and holds its bytes until they are given back. */
export class Waiting {
  readonly job: AppendJob;
  /** Bytes that it takes in the log: what one write is cut by. */
  readonly bytes: number;
  readonly result: Promise<JobResult>;
  readonly #dueMs: number;
  readonly #release: () => void;
  #resolve: (result: JobResult) => void = () => undefined;
  #isAnswered = false;

  /**
   * @param dueMs when its sender is told to come back, whatever becomes of the job then
   * @param release gives back what it holds
   */
  constructor(job: AppendJob, dueMs: number, release: () => void) {
    this.job = job;
    this.bytes = bytesOf(job);
    this.#dueMs = dueMs;
    this.#release = release;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Whether its sender still waits, and has waited for as long as it is to. */
  isDue(nowMs: number): boolean {
    return !this.#isAnswered && nowMs >= this.#dueMs;
  }

  /** Tells the sender; only the first answer counts. */
  answer(result: JobResult): void {
    this.#isAnswered = true;
    this.#resolve(result);
  }

  /** The job is done with, one way or the other: gives its bytes back and tells the sender who still waits. */
  end(result: JobResult): void {
    this.#release();
    this.answer(result);
  }
}
