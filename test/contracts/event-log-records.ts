import type { EventLog, GroupHandler, LogRecord, StoredRecord } from '@tachograph/event-log';
import { utf8, utf8Text } from '@tachograph/wire';

/** Longer than any step of these tests takes; it only keeps a hanging test from hanging for ever. */
const PATIENCE_MS = 25_000;

export const NO_DEADLINE = (): AbortSignal => new AbortController().signal;

/** `count` records whose values are `prefix` and their number. */
export function numbered(count: number, prefix = ''): LogRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `acme/${i % 3}`,
    value: utf8(`${prefix}${i}`),
    headers: { 'content-type': 'application/json', ce_sequence: String(i) },
  }));
}

export function valueText({ value }: Pick<LogRecord, 'value'>): string {
  return utf8Text(value) ?? 'not text';
}

/** Appends and answers the base offset; anything but `appended` fails the test. */
export async function appendAll(
  log: EventLog,
  partition: number,
  records: readonly LogRecord[],
): Promise<number> {
  const outcome = await log.append(partition, records, NO_DEADLINE());
  if (outcome.kind !== 'appended') throw new Error(`not appended: ${outcome.kind}`, { cause: outcome });
  return outcome.baseOffset;
}

export async function allRecords(
  log: EventLog,
  partition: number,
  from = 0,
  to = Number.MAX_SAFE_INTEGER,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const batch of log.readRange(partition, from, to)) records.push(...batch);
  return records;
}

/** A handler that notes what it is handed, and lets a test wait until a condition on that holds. */
export class RecordingHandler implements GroupHandler {
  readonly owned = new Set<number>();
  /** Position at each assignment, by partition. */
  readonly positions = new Map<number, number[]>();
  readonly records: StoredRecord[] = [];
  readonly lost: number[] = [];
  /** What a test wants done with each batch, before it counts as handled. */
  readonly onBatch: (partition: number, records: readonly StoredRecord[]) => Promise<void>;
  readonly #waiting = new Set<() => void>();

  constructor(
    onBatch: (partition: number, records: readonly StoredRecord[]) => Promise<void> = async () => {},
  ) {
    this.onBatch = onBatch;
  }

  readonly assigned = async (partition: number, position: number): Promise<void> => {
    this.owned.add(partition);
    this.positions.set(partition, [...(this.positions.get(partition) ?? []), position]);
    this.#changed();
  };

  readonly batch = async (partition: number, records: readonly StoredRecord[]): Promise<void> => {
    await this.onBatch(partition, records);
    this.records.push(...records);
    this.#changed();
  };

  readonly revoked = async (partition: number): Promise<void> => {
    this.owned.delete(partition);
    this.lost.push(partition);
    this.#changed();
  };

  texts(partition: number): string[] {
    return this.records.filter((record) => record.partition === partition).map(valueText);
  }

  /** Resolves when `condition` holds, which is looked at after every call of the handler. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited in vain until ${String(condition)}`));
      }, PATIENCE_MS);
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}

/** A promise that a test resolves. */
export class Gate {
  #open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  open(): void {
    this.#open();
  }
}
