import { assertNever, type CheckpointNote } from '@tachograph/wire';
import type { GroupReader, StateChanges } from '../port.ts';
import { HEADER, type StoredRecord } from '../record.ts';
import { forkAlarm, gapAlarm, invalidAlarm, type LogAlarm } from './alarm.ts';
import { AppendAssembler, type AssembledRun, type LoggedAppend } from './append.ts';
import type { Decision } from './decide.ts';
import { decideWithEvidence, type Decided } from './decide-with-evidence.ts';
import { continued, replaced, withRaised } from './device-state.ts';
import { DeviceStore } from './device-store.ts';

export type LogFilterOptions = {
  readonly partition: number;
  /** Where the state of earlier commits is loaded from. */
  readonly reader: Pick<GroupReader, 'load'>;
  /**
   * When a known key of ingest cosigned `checkpoint`, POSIX seconds, or `null` where no cosignature verifies.
   * Asked only for unknown edges.
   */
  readonly receiptSeconds: (checkpoint: CheckpointNote) => Promise<number | null>;
  /** Devices kept in memory; the others are loaded from the state when they come again. */
  readonly devicesMax?: number;
};

/** Records by what became of them. Every record of a batch that ended is in exactly one. */
export type FilterCounts = {
  readonly delivered: number;
  /** Carried over from a predecessor's log that delivered them. */
  readonly carried: number;
  readonly duplicates: number;
  readonly stale: number;
  readonly forked: number;
  readonly invalid: number;
};

/** One run of records, wholly decided. */
export type FilteredRun = {
  /** `null` where the records are no append. */
  readonly append: LoggedAppend | null;
  readonly outcome: Exclude<Decision['kind'], 'needs'>;
  /** What goes on to the destinations: the device's log, in order, each entry once. */
  readonly delivered: readonly StoredRecord[];
  readonly alarms: readonly LogAlarm[];
  readonly counts: FilterCounts;
};

export type FilteredBatch = {
  readonly runs: readonly FilteredRun[];
  /** Commit this position with `changes`, after everything in `runs` was delivered. It is always an append's end. */
  readonly next: number;
  readonly changes: StateChanges;
};

const DEVICES_MAX = 5_000;
const NOTHING: FilterCounts = { delivered: 0, carried: 0, duplicates: 0, stale: 0, forked: 0, invalid: 0 };

/**
 * The log-order filter over one partition, from the position at which its reader was assigned. It runs ahead of
 * what is committed: after a commit fails or the partition is lost, make a new one.
 *
 * @example
 * const batch = await filter.read(records);
 * for (const run of batch.runs) await deliver(run);
 * await reader.commit(partition, batch.next, batch.changes);
 * filter.committed(batch.next);
 */
export class LogFilter {
  readonly #receiptSeconds: LogFilterOptions['receiptSeconds'];
  readonly #assembler = new AppendAssembler();
  readonly #devices: DeviceStore;

  constructor({ partition, reader, receiptSeconds, devicesMax = DEVICES_MAX }: LogFilterOptions) {
    this.#receiptSeconds = receiptSeconds;
    this.#devices = new DeviceStore(partition, reader, devicesMax);
  }

  /** Takes the next records, at least one. An append that has not ended is answered by the call that ends it. */
  async read(records: readonly StoredRecord[]): Promise<FilteredBatch> {
    const last = records.at(-1);
    if (last === undefined) throw new RangeError('a batch holds at least one record');
    const runs: FilteredRun[] = [];
    for (const record of records) {
      for (const run of this.#assembler.push(record)) runs.push(await this.#settle(run));
    }
    const next = this.#assembler.openSince ?? last.offset + 1;
    return { runs, next, changes: this.#devices.takeChanges(next) };
  }

  /** Says that the position `next` and everything before it is committed, so that memory can be given back. */
  committed(next: number): void {
    this.#devices.committed(next);
  }

  async #settle(run: AssembledRun): Promise<FilteredRun> {
    if (run.kind === 'broken') {
      const invalid = run.broken.records.length;
      return withheld(null, 'invalid', { ...NOTHING, invalid }, [invalidAlarm(run.broken)]);
    }
    const { append } = run;
    const { decision, vouchedSeconds } = await this.#decide(append);
    const count = append.records.length;
    switch (decision.kind) {
      case 'accepted':
        return this.#accept(append, decision, vouchedSeconds);
      case 'duplicate':
        return withheld(append, 'duplicate', { ...NOTHING, duplicates: count });
      case 'stale':
        return withheld(append, 'stale', { ...NOTHING, stale: count });
      case 'fork': {
        const alarms = await this.#raiseOnce(append.origin, forkAlarm(append, decision.index));
        return withheld(append, 'fork', { ...NOTHING, forked: count }, alarms);
      }
      case 'invalid': {
        const reason = 'the records do not reproduce their checkpoint';
        const alarm = invalidAlarm({ records: append.records, reason });
        return withheld(append, 'invalid', { ...NOTHING, invalid: count }, [alarm]);
      }
      default:
        return assertNever(decision);
    }
  }

  async #decide(append: LoggedAppend): Promise<Decided> {
    return decideWithEvidence(await this.#devices.state(append.origin), append, {
      window: () => this.#devices.window(append.origin, append.edge.size),
      receiptSeconds: this.#receiptSeconds,
    });
  }

  /** `vouchedSeconds` is the time of the receipt on which the decision rests, if it rests on one. */
  async #accept(
    append: LoggedAppend,
    decision: Decision & { kind: 'accepted' },
    vouchedSeconds: number | null,
  ): Promise<FilteredRun> {
    const { origin, records } = append;
    const { base, next, deliverFrom, gap } = decision;
    const state = await this.#devices.state(origin);
    const hashes = append.leafHashes.slice(deliverFrom);
    const advance =
      gap === null
        ? continued(state, await this.#devices.lastRow(origin), next, hashes, base)
        : replaced(state, base, next, hashes);
    const adopted = vouchedSeconds === null ? {} : { adoptedSeconds: vouchedSeconds };
    await this.#devices.advance(origin, { ...advance, state: { ...advance.state, ...adopted } });
    const alarms = gap === null ? [] : await this.#raiseOnce(origin, gapAlarm(append, gap));
    const fresh = records.slice(deliverFrom);
    const delivered = fresh.filter((record) => !(HEADER.duplicateOf in record.headers));
    const counts = {
      ...NOTHING,
      delivered: delivered.length,
      carried: fresh.length - delivered.length,
      duplicates: deliverFrom,
    };
    return { append, outcome: 'accepted', delivered, alarms, counts };
  }

  async #raiseOnce(origin: string, alarm: LogAlarm): Promise<LogAlarm[]> {
    const state = await this.#devices.state(origin);
    if (state?.raised.includes(alarm.id)) return [];
    if (state !== null) await this.#devices.replaceState(origin, withRaised(state, alarm.id));
    return [alarm];
  }
}

function withheld(
  append: LoggedAppend | null,
  outcome: FilteredRun['outcome'],
  counts: FilterCounts,
  alarms: readonly LogAlarm[] = [],
): FilteredRun {
  return { append, outcome, delivered: [], alarms, counts };
}
