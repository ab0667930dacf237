import type { GroupStore } from '../groups/group-store.ts';
import {
  LogReplacedError,
  type EventLog,
  type GroupHandler,
  type GroupReader,
  type StateChanges,
} from '../port.ts';
import { holdsMark, markOf } from '../record-mark.ts';
import type { StoredRecord } from '../record.ts';

/** The group's own state of this name; its value is the mark of the last record before the position. */
const MARK_KEY = 'log/mark';

/**
 * Takes every group back to the beginning of a partition that does not hold any more what the group has read. Its
 * filter drops what it delivered before.
 */
export async function rewindGroups(
  groups: GroupStore,
  log: Pick<EventLog, 'offsets' | 'readRange'>,
  partition: number,
): Promise<void> {
  for (const { group, position } of groups.positions(partition)) {
    if (position === 0) continue;
    const mark = groups.load(group, partition, [MARK_KEY]).get(MARK_KEY);
    const isKnown = mark !== undefined && (await holdsMark(log, partition, mark));
    if (!isKnown) groups.rewind(group, partition, 0, MARK_KEY);
  }
}

/**
 * A reader whose positions know their topic again. They stand in a file of their own, and kafkajs does not tell a
 * topic's id: one that was deleted and made anew, and has grown past a position, would be read on from there, and
 * what it holds before would be passed over in silence.
 */
export class MarkedReader implements GroupReader {
  readonly #inner: GroupReader;
  readonly #log: Pick<EventLog, 'offsets' | 'readRange'>;
  /** What was handed out and is not committed yet. */
  readonly #handed = new Map<number, readonly StoredRecord[]>();

  constructor(inner: GroupReader, log: Pick<EventLog, 'offsets' | 'readRange'>) {
    this.#inner = inner;
    this.#log = log;
  }

  run(handler: GroupHandler, signal: AbortSignal): Promise<void> {
    const marked: GroupHandler = {
      assigned: async (partition, position) => {
        await this.#verify(partition, position);
        this.#handed.set(partition, []);
        await handler.assigned(partition, position);
      },
      batch: async (partition, records) => {
        this.#handed.set(partition, [...(this.#handed.get(partition) ?? []), ...records]);
        await handler.batch(partition, records);
      },
      revoked: (partition) => handler.revoked(partition),
    };
    return this.#inner.run(marked, signal);
  }

  load(partition: number, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#inner.load(partition, keys);
  }

  async commit(partition: number, next: number, changes: StateChanges, hold?: number): Promise<void> {
    const handed = this.#handed.get(partition) ?? [];
    const last = handed.findLast(({ offset }) => offset < next);
    const marked = last === undefined ? changes : new Map(changes).set(MARK_KEY, markOf(last, last.offset));
    await this.#inner.commit(partition, next, marked, hold);
    this.#handed.set(
      partition,
      handed.filter(({ offset }) => offset >= next),
    );
  }

  /** @throws LogReplacedError where the position is another topic's */
  async #verify(partition: number, position: number): Promise<void> {
    const { next } = await this.#log.offsets(partition);
    if (next < position)
      throw new LogReplacedError(partition, `ends at ${next}, but was read up to ${position}`);
    const mark = (await this.#inner.load(partition, [MARK_KEY])).get(MARK_KEY);
    if (mark !== undefined && !(await holdsMark(this.#log, partition, mark)))
      throw new LogReplacedError(
        partition,
        `holds other records than those that were read up to ${position}`,
      );
  }
}
