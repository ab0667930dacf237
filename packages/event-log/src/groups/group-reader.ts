import { PartitionLost, type GroupHandler, type GroupReader, type StateChanges } from '../port.ts';
import type { StoredRecord } from '../record.ts';
import type { Doorbell } from './doorbell.ts';
import { HOLD_KEY, newMember, type GroupStore, type Member } from './group-store.ts';

export type GroupTiming = {
  /** Wall clock in milliseconds since 1970; processes on one machine share it. */
  readonly now: () => number;
  /** How long a reader that gives no sign keeps its partitions. */
  readonly leaseMs: number;
  /** How often a reader looks for what another process appended. */
  readonly pollMs: number;
};

export type GroupSource = {
  readonly store: GroupStore;
  readonly timing: GroupTiming;
  /** The next records from an offset on, in a batch of bounded size; none where there are none yet. */
  readonly read: (
    partition: number,
    from: number,
  ) => readonly StoredRecord[] | Promise<readonly StoredRecord[]>;
  /** Rung when records were appended to the partition. */
  readonly appended: readonly Doorbell[];
  /** Rung when the members of a group or the owners of its partitions have changed. */
  readonly changed: Doorbell;
};

/** A partition that this reader is reading: `stop` makes it end after the batch that is being handled. */
type Reading = { readonly stop: AbortController; readonly done: Promise<void> };

/** Reads the partitions that a group's rows give to it, each in a loop of its own, from whatever log. */
export class LeasedGroupReader implements GroupReader {
  readonly #group: string;
  readonly #instance: string | null;
  readonly #source: GroupSource;
  #member: Member | null = null;

  constructor(group: string, instance: string | null, source: GroupSource) {
    this.#group = group;
    this.#instance = instance;
    this.#source = source;
  }

  async run(handler: GroupHandler, signal: AbortSignal): Promise<void> {
    if (this.#member !== null) throw new Error('this group reader is running already');
    const member = newMember(this.#group, this.#instance);
    this.#member = member;
    const run = new GroupRun(member, this.#source, handler, signal);
    try {
      await run.toItsEnd();
    } finally {
      this.#member = null;
    }
  }

  async load(partition: number, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#source.store.load(this.#group, partition, keys);
  }

  async commit(partition: number, next: number, changes: StateChanges, hold?: number): Promise<void> {
    if (this.#member === null) throw new PartitionLost(partition);
    const held = hold === undefined ? changes : new Map(changes).set(HOLD_KEY, String(hold));
    this.#source.store.commit(this.#member, partition, next, held);
  }
}

/** One `run` of a reader: a loop that keeps its leases and shares, and a loop for each partition that it owns. */
class GroupRun {
  readonly #member: Member;
  readonly #source: GroupSource;
  readonly #handler: GroupHandler;
  /** Aborted by the caller's signal, or by the first failure. */
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #readings = new Map<number, Reading>();
  #failure: { readonly error: unknown } | null = null;

  constructor(member: Member, source: GroupSource, handler: GroupHandler, signal: AbortSignal) {
    this.#member = member;
    this.#source = source;
    this.#handler = handler;
    this.#signal = AbortSignal.any([signal, this.#end.signal]);
  }

  async toItsEnd(): Promise<void> {
    const { store, changed } = this.#source;
    // Leases are renewed until the last handler call has ended, however long it takes.
    const settled = new AbortController();
    const renewals = this.#keepShares(settled.signal);
    await aborted(this.#signal);
    while (this.#readings.size > 0) await Promise.all([...this.#readings.values()].map(({ done }) => done));
    settled.abort();
    await renewals;
    try {
      store.leave(this.#member);
    } catch (error) {
      // The leases run out by themselves; what failed first is what the caller needs to know.
      this.#fail(error);
    }
    changed.ring();
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #keepShares(settled: AbortSignal): Promise<void> {
    const { changed, timing } = this.#source;
    let first = true;
    while (!settled.aborted) {
      try {
        if (first) this.#source.store.replaceEarlier(this.#member);
        this.#adjust();
      } catch (error) {
        this.#fail(error);
        return;
      }
      // The others of this process need not wait for their next look to make room.
      if (first) changed.ring();
      first = false;
      await changed.wait(timing.leaseMs / 3, settled);
    }
  }

  /** Renews the leases, gives up what is not its share, and takes what is free of its share. */
  #adjust(): void {
    const { store, timing } = this.#source;
    const now = timing.now();
    const { owned, wanted } = store.heartbeat(this.#member, now, now + timing.leaseMs);
    for (const [partition, { stop }] of this.#readings) {
      if (!owned.has(partition) || !wanted.has(partition)) stop.abort();
    }
    if (this.#signal.aborted) return;
    for (const partition of wanted) {
      // One that is still ending its last batch is taken again at a later look.
      if (this.#readings.has(partition)) continue;
      const position = store.claim(this.#member, partition, now, now + timing.leaseMs);
      if (position !== null) this.#start(partition, position);
    }
  }

  #start(partition: number, position: number): void {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#signal]);
    const done = this.#read(partition, position, signal)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#readings.delete(partition);
        if (!this.#signal.aborted) {
          this.#source.store.release(this.#member, partition);
          this.#source.changed.ring();
        }
      });
    this.#readings.set(partition, { stop, done });
  }

  async #read(partition: number, position: number, signal: AbortSignal): Promise<void> {
    await this.#handler.assigned(partition, position);
    await this.#readBatches(partition, position, signal);
    if (!this.#signal.aborted) await this.#handler.revoked(partition);
  }

  async #readBatches(partition: number, position: number, signal: AbortSignal): Promise<void> {
    const { store, read, appended, timing } = this.#source;
    let next = position;
    while (!signal.aborted) {
      const records = await read(partition, next);
      // The owner is looked up before each batch, since a process that was frozen may have lost it meanwhile.
      if (signal.aborted || !store.owns(this.#member, partition)) return;
      const last = records.at(-1);
      if (last === undefined) {
        await appended[partition]!.wait(timing.pollMs, signal);
        continue;
      }
      try {
        await this.#handler.batch(partition, records);
      } catch (error) {
        if (error instanceof PartitionLost && error.partition === partition) return;
        throw error;
      }
      next = last.offset + 1;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#end.abort();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
