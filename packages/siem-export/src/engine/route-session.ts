import { LogFilter } from '@tachograph/event-log';
import type { FilteredBatch, GroupHandler, GroupReader, StateChanges } from '@tachograph/event-log';
import { verifyCosignature, type CheckpointNote } from '@tachograph/wire';
import { AppendFile } from '../files/append-file.ts';
import { FORMATS } from '../formats/registry.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import { deadLettersStem, type Route } from '../route.ts';
import type { OpenSink } from '../sinks/sink.ts';
import { noCounts, type MutableCounts } from './counts.ts';
import { bury, type DeadLetter } from './dead-letters.ts';
import { deliverAll, RouteStopped, untilDone, type DeliveryContext, type Trouble } from './delivery.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import { planOf } from './plan.ts';

/** Whom a session tells what happens. */
export type SessionObserver = {
  readonly trouble: (trouble: Trouble | null) => void;
  /** `partition` stands at `position`; `counts` belong to what was settled on the way there, if anything. */
  readonly settled: (partition: number, position: number, counts: MutableCounts | null) => void;
};

/** A partition that this session reads: its filter, how far it is settled, and how far it was read. */
type Reading = { readonly filter: LogFilter; position: number; next: number };

type Opened = { readonly sink: OpenSink; readonly deadLetters: AppendFile };

/**
 * One opening of a route's destination, from which it reads until it is stopped or something fails. Partitions are
 * filtered side by side and settled one after the other: write, fsync, commit. So at most one batch is ever written
 * but not committed, and a new session knows from the commits' marks where it begins.
 */
export class RouteSession {
  readonly #route: Route;
  readonly #surroundings: ExporterSurroundings;
  readonly #reader: GroupReader;
  readonly #observer: SessionObserver;
  readonly #signal: AbortSignal;
  readonly #sink: OpenSink;
  readonly #deadLetters: AppendFile;
  readonly #readings = new Map<number, Reading>();
  /** Whether this session has committed where its files begin. */
  #marked = false;
  #turn: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(
    route: Route,
    surroundings: ExporterSurroundings,
    reader: GroupReader,
    observer: SessionObserver,
    signal: AbortSignal,
    opened: Opened,
  ) {
    this.#route = route;
    this.#surroundings = surroundings;
    this.#reader = reader;
    this.#observer = observer;
    this.#signal = signal;
    this.#sink = opened.sink;
    this.#deadLetters = opened.deadLetters;
  }

  /** Opens the route's files and destination where the commits so far say that they end. */
  static async open(
    route: Route,
    surroundings: ExporterSurroundings,
    reader: GroupReader,
    observer: SessionObserver,
    signal: AbortSignal,
  ): Promise<RouteSession> {
    const opened = await openDestination(route, surroundings, reader);
    return new RouteSession(route, surroundings, reader, observer, signal, opened);
  }

  readonly handler: GroupHandler = {
    assigned: (partition, position) => this.#inTurn(() => this.#assign(partition, position)),
    batch: async (partition, records) => {
      const reading = this.#readings.get(partition);
      if (reading === undefined) throw new Error(`partition ${partition} is not assigned`);
      const [first, last] = [records[0]!, records.at(-1)!];
      if (first.offset > reading.next) this.#expired(partition, reading, first.offset);
      reading.next = last.offset + 1;
      const batch = await reading.filter.read(records);
      // The records so far may all belong to an append that has not ended.
      if (batch.next > reading.position) await this.#inTurn(() => this.#settle(partition, reading, batch));
    },
    revoked: (partition) => this.#inTurn(async () => void this.#readings.delete(partition)),
  };

  async close(): Promise<void> {
    await this.#turn;
    await this.#sink.close();
    await this.#deadLetters.close();
  }

  async #assign(partition: number, position: number): Promise<void> {
    const receiptSeconds = async (checkpoint: CheckpointNote): Promise<number | null> => {
      const keys = await this.#surroundings.cosignerKeys();
      const cosigned = await verifyCosignature(checkpoint, checkpoint.note.signatures, keys);
      return cosigned?.timestamp ?? null;
    };
    const filter = new LogFilter({ partition, reader: this.#reader, receiptSeconds });
    const reading = { filter, position, next: position };
    this.#readings.set(partition, reading);
    const { oldest } = await this.#surroundings.log.offsets(partition);
    if (oldest > position) this.#expired(partition, reading, oldest);
    // Before anything is written there must be a mark for the files as they are now: without it a restart could
    // not tell our own uncommitted bytes from what somebody else left there.
    if (!this.#marked) await this.#commit(partition, position, new Map());
    this.#marked = true;
    this.#observer.settled(partition, position, null);
  }

  /**
   * Retention has removed what this route had not read. Which entries they were, the filter tells by device, where
   * later ones follow; that there were some is said here, whether or not.
   */
  #expired(partition: number, reading: Reading, to: number): void {
    const from = reading.next;
    reading.next = to;
    this.#surroundings.logger.error(
      { route: this.#route.name, partition, from, to },
      'route.records_expired',
    );
    this.#observer.settled(partition, reading.position, { ...noCounts(), expired: to - from });
  }

  async #settle(partition: number, reading: Reading, { runs, next, changes }: FilteredBatch): Promise<void> {
    const route = this.#route;
    const time = new Date(this.#surroundings.clock.now()).toISOString();
    const formatContext = { exportedTime: time, timePolicy: route.time };
    const { deliveries, letters, counts } = planOf(runs, route, FORMATS[route.format], formatContext);
    const context = this.#deliveryContext();
    const rejections = await deliverAll(deliveries, context);
    const buried: DeadLetter[] = [
      ...letters,
      ...rejections.map(({ delivery: { event }, reason }) => ({ event, refusedBy: 'sink' as const, reason })),
    ];
    if (buried.length > 0) await untilDone(() => bury(this.#deadLetters, buried, route.name, time), context);
    for (const { delivery } of rejections) {
      if (delivery.event.leafHash === null) continue;
      counts.delivered--;
      counts.deadLettered++;
    }
    await this.#commit(partition, next, changes);
    reading.filter.committed(next);
    reading.position = next;
    counts.commits++;
    this.#observer.settled(partition, next, counts);
  }

  /** Moves the position, and with it how far the files have got. */
  async #commit(partition: number, next: number, changes: StateChanges): Promise<void> {
    const { instance } = this.#surroundings;
    const [sinkMark, lettersMark] = [this.#sink.mark(), this.#deadLetters.mark];
    await this.#reader.commit(
      partition,
      next,
      new Map([
        ...changes,
        ...(sinkMark === null ? [] : ([[sinkMarkKey(instance), sinkMark]] as const)),
        [deadLettersMarkKey(instance), lettersMark],
      ]),
    );
    if (sinkMark !== null) await this.#sink.committed(sinkMark);
    await this.#deadLetters.committed(lettersMark);
  }

  #deliveryContext(): DeliveryContext {
    const { clock, random, logger } = this.#surroundings;
    const { trouble } = this.#observer;
    const route = this.#route.name;
    return { route, sink: this.#sink, clock, random, logger, signal: this.#signal, trouble };
  }

  /**
   * Runs `work` when all earlier turns are over. After a failure nothing may be written any more: what the failed
   * turn wrote is not committed, and a later commit's mark would cover it.
   */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#afterTurn(this.#turn, work);
    // Whoever asked for the turn hears of its failure; the next one only waits for its end.
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #afterTurn(earlier: Promise<void>, work: () => Promise<void>): Promise<void> {
    await earlier;
    if (this.#failed || this.#signal.aborted) throw new RouteStopped();
    try {
      await work();
    } catch (error) {
      this.#failed = true;
      if (error instanceof RouteStopped) throw error;
      // Not passed on as it is: a lost partition would end only that partition's reading.
      throw new Error('the route failed', { cause: error });
    }
  }
}

async function openDestination(
  route: Route,
  surroundings: ExporterSurroundings,
  reader: GroupReader,
): Promise<Opened> {
  const { log, instance, exportDir, files, clock, logger, sinks, readSecret } = surroundings;
  const { partitions } = await log.describe();
  const [sinkMarks, letterMarks]: [string[], string[]] = [[], []];
  for (let partition = 0; partition < partitions; partition++) {
    const keys = [sinkMarkKey(instance), deadLettersMarkKey(instance)] as const;
    const values = await reader.load(partition, keys);
    const [sinkMark, letterMark] = [values.get(keys[0]), values.get(keys[1])];
    if (sinkMark !== undefined) sinkMarks.push(sinkMark);
    if (letterMark !== undefined) letterMarks.push(letterMark);
  }
  const { fileBytesMax: bytesMax, fileAgeSecondsMax, fileKeepBytesMax: keepBytesMax } = EXPORT_LIMITS;
  const stem = deadLettersStem(route);
  const deadLetters = await AppendFile.open(
    {
      files,
      folder: exportDir,
      stem,
      bytesMax,
      ageMsMax: fileAgeSecondsMax * 1000,
      keepBytesMax,
      clock,
      logger,
    },
    letterMarks,
  );
  try {
    const found = sinks.find(({ type }) => type === route.sink.type);
    if (found === undefined) throw new Error(`there is no sink ${route.sink.type}`);
    const sink = await found.open(route.sink, {
      exportDir,
      files,
      clock,
      logger,
      readSecret,
      marks: sinkMarks,
    });
    return { sink, deadLetters };
  } catch (error) {
    await deadLetters.close();
    throw error;
  }
}

// One pair of keys for each export folder: where exporters share a group, each one's files have marks of their own,
// which stay when a partition moves to another exporter.
function sinkMarkKey(instance: string): string {
  return `export/sink/${instance}`;
}
function deadLettersMarkKey(instance: string): string {
  return `export/dead-letters/${instance}`;
}
