import type { Bytes } from '@tachograph/wire';
import type { RecordedEntry } from './audit-buffer.ts';
import { gapOf, mergeGaps, planCommit, type CommitOptions } from './core/commit.ts';
import type { Gap, LogRow } from './core/rows.ts';
import { EntryGroup } from './entry-group.ts';
import { AuditBufferError } from './errors.ts';
import type { SharedState } from './shared-state.ts';

/** One transaction takes at most this much, so that other tabs get their turn and no page is blocked for long. */
const GROUP_LEAVES_MAX = 4_000;
const GROUP_BYTES_MAX = 2 * 1024 * 1024;

export type RecorderOptions = Pick<CommitOptions, 'bytesMax' | 'whenFull' | 'gapLeaf'> & {
  /** Called after every commit. */
  readonly onCommitted: () => void;
  readonly onFailed: (error: AuditBufferError) => void;
};

/** Group commit: whatever is recorded while one transaction is in flight shares the next one. */
export class Recorder {
  readonly #state: SharedState;
  readonly #options: RecorderOptions;
  readonly #queue: EntryGroup[] = [];
  /** Committed, but not yet wholly under a receipt. */
  #unsettled: EntryGroup[] = [];
  #waiting = 0;
  #unwritten: Gap | null = null;
  #declareGap = false;
  #started = false;
  #running: Promise<void> | null = null;
  #failure: AuditBufferError | null = null;
  #observed = '';

  constructor(state: SharedState, options: RecorderOptions) {
    this.#state = state;
    this.#options = options;
    state.onRows(({ log }) => {
      if (log !== null) this.#observe(log);
    });
  }

  /** Entries that are in memory only. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Events that the store refused and that no commit has counted yet. */
  get unwritten(): number {
    return this.#unwritten?.count ?? 0;
  }

  /** Whether entries of this tab wait for a receipt. */
  get hasUnsettled(): boolean {
    return this.#unsettled.length > 0;
  }

  record(id: string, leaf: Bytes, time: number): RecordedEntry {
    let group = this.#queue[this.#queue.length - 1];
    if (group === undefined || group.leaves.length >= GROUP_LEAVES_MAX || group.bytes >= GROUP_BYTES_MAX) {
      group = new EntryGroup();
      this.#queue.push(group);
    }
    const entry = group.add(id, leaf, time);
    if (this.#failure === null) {
      this.#waiting++;
      this.#run();
    } else {
      this.#queue.length = 0;
      group.failed(this.#failure);
    }
    return entry;
  }

  /** From now on what was recorded is committed. */
  start(): void {
    this.#started = true;
    this.#run();
  }

  /** From now on nothing is recorded; what still waits is refused. */
  fail(error: AuditBufferError): void {
    this.#failure = error;
    for (const group of this.#queue.splice(0)) {
      this.#waiting -= group.leaves.length;
      group.failed(error);
    }
  }

  /** Declares a gap, if there is one and there is room for it now. */
  declareGap(): void {
    if (this.#state.rows.gap === null && this.#unwritten === null) return;
    this.#declareGap = true;
    this.#run();
  }

  /** Resolves when nothing waits in memory. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #run(): void {
    if (!this.#started || this.#running !== null) return;
    this.#running = this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    // What is recorded in this same turn of the event loop joins the first group.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#declareGap) {
      this.#declareGap = false;
      const group = this.#queue.shift() ?? new EntryGroup();
      const size = group.leaves.length;
      const failure = await this.#commit(group);
      this.#waiting -= size;
      if (failure === null) this.#options.onCommitted();
      else this.#options.onFailed(failure);
    }
    // In the same turn as the look at the queue: whoever records after it finds nothing running, and starts anew.
    this.#running = null;
  }

  async #commit(group: EntryGroup): Promise<AuditBufferError | null> {
    const unwritten = this.#unwritten;
    try {
      const committed = await this.#state.transact(({ rows }) =>
        planCommit(rows, group, { ...this.#options, unwritten }),
      );
      this.#unwritten = null;
      group.committed(committed, fullError(), this.#state.store.durable ? null : volatileError());
      if (!group.settled) this.#unsettled.push(group);
      return null;
    } catch (error) {
      const known =
        error instanceof AuditBufferError
          ? error
          : new AuditBufferError('ERR_INTERNAL', 'the commit failed', { cause: error });
      this.#unwritten = mergeGaps(unwritten, gapOf(group.times, 'storage'));
      group.failed(known);
      return known;
    }
  }

  #observe(log: LogRow): void {
    // Only a receipt or a successor settles anything: commits and signatures are passed over.
    const news = `${log.device} ${log.receipt?.size} ${log.receipt?.time}`;
    if (news === this.#observed) return;
    this.#observed = news;
    for (const group of this.#unsettled) group.observe(log);
    this.#unsettled = this.#unsettled.filter((group) => !group.settled);
  }
}

function fullError(): AuditBufferError {
  return new AuditBufferError('ERR_BUFFER_FULL', 'the cap on bytes that wait is reached');
}

function volatileError(): AuditBufferError {
  return new AuditBufferError('ERR_STORAGE', 'this browser stores nothing: the entry lives in memory only');
}
