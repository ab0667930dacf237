import type { Bytes } from '@tachograph/wire';
import type { RecordedEntry } from './audit-buffer.ts';
import { gapOf, mergeGaps, planCommit, revokedError, type CommitOptions } from './core/commit.ts';
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
  #waitingBytes = 0;
  /** Refused since the last commit, and not counted by it yet: to be declared, or (`reject`) told only to who asked. */
  #unwritten: Gap | null = null;
  #told = 0;
  /** The part of both that a commit is just counting. */
  #counting = 0;
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
    return (this.#unwritten?.count ?? 0) + this.#told + this.#counting;
  }

  /** Whether entries of this tab wait for a receipt. */
  get hasUnsettled(): boolean {
    return this.#unsettled.length > 0;
  }

  record(id: string, leaf: Bytes, time: number): RecordedEntry {
    const failure = this.#failure ?? (this.#state.rows.log?.closed ? revokedError() : null);
    if (failure !== null) return refused(id, leaf, time, failure);
    // What fits is the commit's to say. More than it could ever take is not held in memory for a store that opens slowly.
    if (this.#waitingBytes + leaf.length >= this.#options.bytesMax + GROUP_BYTES_MAX) {
      if (this.#options.whenFull === 'reject') this.#told++;
      else this.#unwritten = mergeGaps(this.#unwritten, gapOf([time], 'full'));
      return refused(id, leaf, time, fullError());
    }
    let group = this.#queue[this.#queue.length - 1];
    if (group === undefined || group.leaves.length >= GROUP_LEAVES_MAX || group.bytes >= GROUP_BYTES_MAX) {
      group = new EntryGroup();
      this.#queue.push(group);
    }
    const entry = group.add(id, leaf, time);
    this.#waiting++;
    this.#waitingBytes += leaf.length + 1;
    this.#run();
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
      this.#waitingBytes -= group.bytes;
      group.failed(error);
    }
  }

  /** Declares a gap, if there is one and there is room for it now. */
  declareGap(): void {
    const { gap, log } = this.#state.rows;
    if ((gap === null && this.#unwritten === null && this.#told === 0) || log?.closed) return;
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
      this.#waitingBytes -= group.bytes;
      if (failure === null) this.#options.onCommitted();
      else this.#options.onFailed(failure);
    }
    // In the same turn as the look at the queue: whoever records after it finds nothing running, and starts anew.
    this.#running = null;
  }

  async #commit(group: EntryGroup): Promise<AuditBufferError | null> {
    const [unwritten, told] = [this.#unwritten, this.#told];
    // What is refused while this commit runs is the next one's.
    [this.#unwritten, this.#told, this.#counting] = [null, 0, (unwritten?.count ?? 0) + told];
    try {
      const committed = await this.#state.transact(({ rows }) =>
        planCommit(rows, group, { ...this.#options, unwritten, told }),
      );
      group.committed(committed, fullError(), this.#state.store.durable ? null : volatileError());
      if (!group.settled) this.#unsettled.push(group);
      return null;
    } catch (error) {
      const known =
        error instanceof AuditBufferError
          ? error
          : new AuditBufferError('ERR_INTERNAL', 'the commit failed', { cause: error });
      // A log that another tab has closed declares nothing more: each event's own promise has said it.
      const gap = known.code === 'ERR_DEVICE_REVOKED' ? null : gapOf(group.times, 'storage');
      this.#unwritten = mergeGaps(mergeGaps(unwritten, gap), this.#unwritten);
      this.#told += told;
      group.failed(known);
      return known;
    } finally {
      this.#counting = 0;
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

/** An entry that never joins a group that is committed. */
function refused(id: string, leaf: Bytes, time: number, error: AuditBufferError): RecordedEntry {
  const group = new EntryGroup();
  const entry = group.add(id, leaf, time);
  group.failed(error);
  return entry;
}

function fullError(): AuditBufferError {
  return new AuditBufferError('ERR_BUFFER_FULL', 'the cap on bytes that wait is reached');
}

function volatileError(): AuditBufferError {
  return new AuditBufferError('ERR_STORAGE', 'this browser stores nothing: the entry lives in memory only');
}
