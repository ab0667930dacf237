import type { Bytes } from '@tachograph/wire';
import type { EntryPlace, EntryReceipt, RecordedEntry } from './audit-buffer.ts';
import type { Committed, Leaves } from './core/commit.ts';
import { locate } from './core/locate.ts';
import type { LogRow } from './core/rows.ts';
import { AuditBufferError } from './errors.ts';

/** How a promise will end, once that is known. */
type Fate<T> = { readonly value: T } | { readonly error: AuditBufferError } | null;
/** Settles its promise if its fate is known, and says whether it was. */
type Waiter = () => boolean;

/**
 * The entries of one group commit, which share their fate. Nothing is made per entry but a handle: a burst of 100,000
 * events whose promises nobody looks at costs no promises.
 */
export class EntryGroup implements Leaves {
  readonly leaves: Bytes[] = [];
  readonly times: number[] = [];
  bytes = 0;
  #placed: Committed | null = null;
  /** Why the entries that have no place have none. */
  #error: AuditBufferError | null = null;
  /** Why those that have a place are not durable all the same: the store is only memory. */
  #volatile: AuditBufferError | null = null;
  #log: LogRow | null = null;
  #waiters: Waiter[] = [];

  /** Adds an entry. */
  add(id: string, leaf: Bytes, time: number): RecordedEntry {
    const offset = this.leaves.push(leaf) - 1;
    this.times.push(time);
    this.bytes += leaf.length + 1;
    return new Entry(id, this, offset);
  }

  /** The first `placed.count` entries are committed; the others are refused with `error`. */
  committed(placed: Committed, error: AuditBufferError, volatile: AuditBufferError | null): void {
    this.#placed = placed;
    this.#error = error;
    this.#volatile = volatile;
    this.#log = placed.log;
    // The store has them now.
    this.leaves.length = 0;
    this.times.length = 0;
    this.#settle();
  }

  /** None of the entries could be committed. */
  failed(error: AuditBufferError): void {
    this.#error = error;
    this.leaves.length = 0;
    this.times.length = 0;
    this.#settle();
  }

  /** Takes note of the log as it is now. */
  observe(log: LogRow): void {
    this.#log = log;
    this.#settle();
  }

  /** Whether nothing about any of the entries can change any more. */
  get settled(): boolean {
    if (this.#placed === null) return this.#error !== null;
    const { count } = this.#placed;
    return count === 0 || this.#acceptedFate(count - 1) !== null;
  }

  durable(offset: number): Promise<EntryPlace> {
    return this.#promise(() => this.#durableFate(offset));
  }

  accepted(offset: number): Promise<EntryReceipt> {
    return this.#promise(() => this.#acceptedFate(offset));
  }

  #durableFate(offset: number): Fate<EntryPlace> {
    if (this.#placed === null || offset >= this.#placed.count) return this.#unplacedFate();
    if (this.#volatile !== null) return { error: this.#volatile };
    const { log, first } = this.#placed;
    return { value: { origin: log.origin, index: first + offset } };
  }

  #acceptedFate(offset: number): Fate<EntryReceipt> {
    const [placed, log] = [this.#placed, this.#log];
    if (placed === null || log === null || offset >= placed.count) return this.#unplacedFate();
    const where = locate(placed.log.device, placed.first + offset, log);
    if (where.kind === 'pending') return null;
    if (where.kind === 'lost')
      return { error: new AuditBufferError('ERR_STORAGE', 'the entry was damaged in the store') };
    if (where.rejected !== null)
      return { error: new AuditBufferError('ERR_CONTENT_REJECTED', where.rejected) };
    return { value: { origin: where.origin, index: where.index, receivedBefore: where.receipt.time } };
  }

  #unplacedFate(): Fate<never> {
    return this.#error === null ? null : { error: this.#error };
  }

  #promise<T>(fateOf: () => Fate<T>): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      const waiter: Waiter = () => {
        const fate = fateOf();
        if (fate === null) return false;
        if ('error' in fate) reject(fate.error);
        else resolve(fate.value);
        return true;
      };
      if (!waiter()) this.#waiters.push(waiter);
    });
    // Ignoring the promise is safe: whoever awaits it still sees the rejection.
    promise.catch(() => undefined);
    return promise;
  }

  #settle(): void {
    this.#waiters = this.#waiters.filter((waiter) => !waiter());
  }
}

/** What `record()` hands out. */
class Entry implements RecordedEntry {
  readonly id: string;
  readonly #group: EntryGroup;
  readonly #offset: number;
  #durable: Promise<EntryPlace> | undefined;
  #accepted: Promise<EntryReceipt> | undefined;

  constructor(id: string, group: EntryGroup, offset: number) {
    this.id = id;
    this.#group = group;
    this.#offset = offset;
  }

  get durable(): Promise<EntryPlace> {
    return (this.#durable ??= this.#group.durable(this.#offset));
  }

  get accepted(): Promise<EntryReceipt> {
    return (this.#accepted ??= this.#group.accepted(this.#offset));
  }
}
