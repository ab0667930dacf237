import { Doorbell } from '../groups/doorbell.ts';
import { LeasedGroupReader, type GroupTiming } from '../groups/group-reader.ts';
import { GroupStore } from '../groups/group-store.ts';
import type { AppendOutcome, EventLog, GroupOptions, GroupReader, LogDescription } from '../port.ts';
import { rejectOversized } from '../record-size.ts';
import type { LogRecord, StoredRecord } from '../record.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import { linkMaker } from './broker-link.ts';
import { createClient, type KafkaConnection } from './client.ts';
import { withSockets } from './explain-failure.ts';
import { firstAnswer } from './first-answer.ts';
import { IdempotentProducer } from './idempotent-producer.ts';
import { Leaders } from './leaders.ts';
import { MarkedReader, rewindGroups } from './marked-reader.ts';
import { beforeDeadline, PartitionWriter } from './partition-writer.ts';
import { Places } from './places.ts';
import { openPositions } from './positions.ts';
import type { Sockets } from './sockets.ts';
import { TopicLimit } from './topic-limit.ts';
import { TopicReader } from './topic-reader.ts';
import { TopicUnfitError } from './topic-unfit-error.ts';
import { problemsOf, readTopicFacts, type TopicFacts } from './topic-settings.ts';

export type KafkaLogOptions = KafkaConnection & {
  readonly topic: string;
  /**
   * The file of the groups' positions, their state and who reads which partition; readers of one group share it, so
   * they run on one machine. Without it the log has no groups.
   */
  readonly positions?: string;
  /** Starts also where the topic's settings may lose events: for one broker on one's own machine. */
  readonly allowUnsafe?: boolean;
} & Partial<GroupTiming>;

const TIMING: GroupTiming = { now: Date.now, leaseMs: 10_000, pollMs: 250 };
/** How often a range is asked for that the broker says is there but does not hand out yet. */
const EMPTY_FETCHES_MAX = 100;
const EMPTY_FETCH_PAUSE_MS = 50;

/**
 * The ordered log in one topic of Apache Kafka.
 *
 * Appends: a producer for each partition, `acks=all`. Reads: straight from the leaders, never beyond what all in-sync
 * replicas have. Groups: positions and the state that belongs to them stand in one SQLite file, where a commit moves
 * both in one transaction and only for the partition's owner; Kafka's own groups cannot do that, and are not used.
 *
 * @throws TopicUnfitError where there is no such topic or its settings lose events; KafkaRefusedError where the brokers
 * do not take this client, or it does not trust them; Error where no broker answers
 * @example
 * const log = await openKafkaLog({ brokers: ['localhost:9092'], topic: 'audit.events', positions: 'data/positions.sqlite' });
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  return withSockets(options, (sockets) => open(options, sockets));
}

async function open(options: KafkaLogOptions, sockets: Sockets): Promise<KafkaLog> {
  const client = createClient(options, sockets.factory);
  const places = new Places(options.brokers);
  const readFacts = () =>
    firstAnswer(options, sockets, places, (admin) => readTopicFacts(admin, options.topic));
  const facts = await readFacts();
  if (facts === null) throw new TopicUnfitError(options.topic, []);
  const problems = problemsOf(facts).filter(({ fatal }) => fatal || options.allowUnsafe !== true);
  if (problems.length > 0) throw new TopicUnfitError(options.topic, problems);
  const { cluster, partitions } = facts;
  const owner = { cluster, topic: options.topic, partitions };
  const positions = options.positions === undefined ? null : openPositions(options.positions, owner);
  const makeLeaders = (): Leaders => new Leaders(linkMaker(client, options, sockets), places, options.topic);
  const reader = new TopicReader(makeLeaders(), options.topic);
  try {
    await reader.open();
  } catch (error) {
    positions?.close();
    reader.close();
    throw error;
  }
  return new KafkaLog({ readFacts, facts, positions, reader, makeLeaders, sockets }, options);
}

type Parts = {
  readonly readFacts: () => Promise<TopicFacts | null>;
  readonly facts: TopicFacts;
  readonly positions: SqliteDatabase | null;
  readonly reader: TopicReader;
  readonly makeLeaders: () => Leaders;
  readonly sockets: Sockets;
};

export class KafkaLog implements EventLog {
  readonly #description: Omit<LogDescription, 'appendBytesMax'>;
  readonly #limit: TopicLimit;
  readonly #timing: GroupTiming;
  readonly #reader: TopicReader;
  readonly #sockets: Sockets;
  readonly #writers: readonly PartitionWriter[];
  readonly #positions: SqliteDatabase | null;
  readonly #groups: GroupStore | null;
  readonly #appended: readonly Doorbell[];
  readonly #groupsChanged = new Doorbell();

  constructor(
    { readFacts, facts, positions, reader, makeLeaders, sockets }: Parts,
    options: KafkaLogOptions,
  ) {
    const { now = TIMING.now, leaseMs = TIMING.leaseMs, pollMs = TIMING.pollMs, topic } = options;
    const { partitions, messageBytesMax } = facts;
    this.#timing = { now, leaseMs, pollMs };
    this.#description = { adapter: 'kafka', name: topic, partitions };
    this.#limit = new TopicLimit(topic, messageBytesMax, readFacts);
    const ids = Array.from({ length: partitions }, (_, id) => id);
    // Connections of its own for each: a broker answers those of one connection one after the other.
    const makeProducer = (id: number) => new IdempotentProducer(makeLeaders(), topic, id);
    this.#writers = ids.map((id) => new PartitionWriter(makeProducer, id));
    this.#appended = ids.map(() => new Doorbell());
    this.#reader = reader;
    this.#sockets = sockets;
    this.#positions = positions;
    this.#groups = positions === null ? null : new GroupStore(positions, partitions);
  }

  async describe(): Promise<LogDescription> {
    return { ...this.#description, appendBytesMax: this.#limit.bytes };
  }

  async append(
    partition: number,
    records: readonly LogRecord[],
    deadline: AbortSignal,
  ): Promise<AppendOutcome> {
    const writer = this.#writers[partition];
    if (writer === undefined) throw new RangeError(`there is no partition ${partition}`);
    if (records.length === 0) throw new RangeError('an append holds at least one record');
    // One record that is too large would fail the whole batch, and the broker does not say which.
    const rejected = rejectOversized(records, this.#limit.bytes);
    if (rejected !== null) return rejected;
    const outcome = await writer.append(records, deadline);
    if (outcome.kind === 'appended') this.#appended[partition]!.ring();
    if (outcome.kind !== 'ambiguous' || !this.#limit.isPassedBy(outcome.cause)) return outcome;
    // Not `rejected`: an attempt before, whose answer was lost, may have been within the limit of then.
    const { cause } = outcome;
    const why = await beforeDeadline(this.#limit.lookAgain(cause), deadline).catch(() => cause);
    return { kind: 'ambiguous', cause: why };
  }

  /** Whether the brokers let this client append; `null` where they do not say. Nothing is appended for that. */
  mayAppend(): Promise<boolean | null> {
    return this.#reader.mayAppend(0);
  }

  async offsets(partition: number): Promise<{ readonly oldest: number; readonly next: number }> {
    this.#check(partition);
    return this.#reader.offsets(partition);
  }

  async *readRange(partition: number, from: number, to: number): AsyncGenerator<readonly StoredRecord[]> {
    const { oldest, next } = await this.offsets(partition);
    const end = Math.min(to, next);
    let emptyFetches = 0;
    for (let at = Math.max(from, oldest); at < end;) {
      // One record alone is how a log is known again, every other second: not a megabyte for it.
      const fetched = await this.#reader.fetch(partition, at, end - at === 1 ? 1 : undefined);
      const records = fetched.records.filter(({ offset }) => offset < end);
      if (records.length > 0) yield records;
      emptyFetches = fetched.next > at ? 0 : emptyFetches + 1;
      at = fetched.next;
      if (emptyFetches === 0) continue;
      // A leader that has just been elected may not know yet what all replicas have. Ending here would pass over
      // records that are there.
      if (emptyFetches > EMPTY_FETCHES_MAX)
        throw new Error(`partition ${partition} does not hand out offset ${at}, which is before its end`);
      await this.#appended[partition]!.wait(EMPTY_FETCH_PAUSE_MS, new AbortController().signal);
    }
  }

  async openGroup(group: string, { instance }: GroupOptions = {}): Promise<GroupReader> {
    if (this.#groups === null) throw new Error('this log was opened without a file for positions');
    const reader = new LeasedGroupReader(group, instance ?? null, {
      store: this.#groups,
      timing: this.#timing,
      read: (partition, from) => this.#read(partition, from),
      appended: this.#appended,
      changed: this.#groupsChanged,
    });
    return new MarkedReader(reader, this);
  }

  /**
   * Takes the groups back to the beginning of a partition that was cut or made anew, where it does not hold what they
   * have read. For an operator who has decided to go on without what was lost; nobody may be reading.
   */
  async rewindGroups(partition: number): Promise<void> {
    this.#check(partition);
    if (this.#groups !== null) await rewindGroups(this.#groups, this, partition);
  }

  /** Ends the connections, once their last requests have. Readers must have ended before. */
  async close(): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.close()));
    this.#reader.close();
    this.#sockets.close();
    this.#positions?.close();
  }

  /** The next records, past offsets that hold none for a reader. */
  async #read(partition: number, from: number): Promise<readonly StoredRecord[]> {
    for (let at = from; ;) {
      const { records, next } = await this.#reader.fetch(partition, at);
      if (records.length > 0 || next === at) return records;
      at = next;
    }
  }

  #check(partition: number): void {
    if (this.#writers[partition] === undefined) throw new RangeError(`there is no partition ${partition}`);
  }
}
