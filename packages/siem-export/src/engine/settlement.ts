import type { StateChanges } from '@tachograph/event-log';
import type { ExportEvent } from '../export-event.ts';
import { FORMATS } from '../formats/registry.ts';
import type { Route } from '../route.ts';
import type { MutableCounts } from './counts.ts';
import { bury, type DeadLetter } from './dead-letters.ts';
import { Deferred, deliverAll, untilDone, type Rejection, type TroubleContext } from './delivery.ts';
import type { Destination, Marked } from './destination.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import { planOf, type Plan } from './plan.ts';
import { Turns } from './turns.ts';

/** Stores `changes` and with them, in one transaction, where a track stands. */
export type TrackCommits = {
  /** Where it stood. */
  readonly keep: (changes: StateChanges) => Promise<void>;
  /** Behind what is being settled. */
  readonly move: (changes: StateChanges) => Promise<void>;
};

/**
 * Brings events of one route to their end: delivered or in the dead letters, and then the position moves.
 *
 * Tracks settle side by side where the destination takes that. One that writes where its mark says, such as a file, is
 * given one batch at a time: at most one is ever written but not committed, and whoever opens it next knows from the
 * mark where it begins. The same holds for the dead letters.
 */
export class Settlement {
  readonly #route: Route;
  readonly #surroundings: ExporterSurroundings;
  readonly #destination: Destination;
  readonly #turns = new Turns();
  /** What has a committed mark for how it was when it was opened. */
  readonly #begun = new WeakSet<Marked>();

  constructor(route: Route, surroundings: ExporterSurroundings, destination: Destination) {
    this.#route = route;
    this.#surroundings = surroundings;
    this.#destination = destination;
  }

  /** @throws Deferred where the destination has taken nothing yet; RouteStopped at the signal */
  async settle(
    events: readonly ExportEvent[],
    context: TroubleContext,
    commits: TrackCommits,
  ): Promise<MutableCounts> {
    const { sink } = await this.#destination.sink();
    const work = () => this.#deliver(events, context, commits);
    return sink.parallel ? work() : this.#inTurn(work, () => this.#destination.close());
  }

  /**
   * What a failed turn wrote is not committed, and the mark of the next turn would cover it: so it is closed before
   * anybody else writes, and cut when it is opened again.
   */
  #inTurn<T>(work: () => Promise<T>, close: () => Promise<void>): Promise<T> {
    return this.#turns.take(async () => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Deferred)) await close();
        throw error;
      }
    });
  }

  async #deliver(
    events: readonly ExportEvent[],
    context: TroubleContext,
    commits: TrackCommits,
  ): Promise<MutableCounts> {
    const { name, format, time: timePolicy } = this.#route;
    const exportedTime = new Date(this.#surroundings.clock.now()).toISOString();
    const plan = planOf(events, FORMATS[format], { exportedTime, timePolicy });
    const destination = await this.#destination.sink();
    await this.#begin(destination, commits);
    const { sink } = destination;
    const rejections = await deliverAll(plan.deliveries, { ...context, sink, mayDefer: true });
    const letters = lettersOf(plan, rejections);
    if (letters.length === 0) await this.#commit([destination], commits);
    else {
      const work = () => this.#bury(letters, name, exportedTime, [destination], context, commits);
      // A destination that takes one batch at a time has the turn already.
      await (sink.parallel ? this.#inTurn(work, () => this.#destination.closeLetters()) : work());
    }
    return settledCounts(plan, rejections);
  }

  async #bury(
    letters: readonly DeadLetter[],
    route: string,
    time: string,
    marks: readonly Marked[],
    context: TroubleContext,
    commits: TrackCommits,
  ): Promise<void> {
    await untilDone(async () => {
      const opened = await this.#destination.letters();
      await this.#begin(opened, commits);
      await bury(opened.file, letters, route, time);
    }, context);
    await this.#commit([...marks, await this.#destination.letters()], commits);
  }

  /**
   * Where marks are given: before anything is written there must be one for what is there now: without it the next opening could not
   * tell our own uncommitted bytes from what somebody else left.
   */
  async #begin(opened: Marked, commits: TrackCommits): Promise<void> {
    if (this.#begun.has(opened)) return;
    const mark = opened.mark();
    if (mark === null) return;
    await commits.keep(new Map([[opened.key, mark]]));
    this.#begun.add(opened);
  }

  async #commit(marked: readonly Marked[], commits: TrackCommits): Promise<void> {
    const marks = marked.flatMap((one) => {
      const mark = one.mark();
      return mark === null ? [] : [{ one, mark }];
    });
    await commits.move(new Map(marks.map(({ one, mark }) => [one.key, mark])));
    for (const { one, mark } of marks) await one.committed(mark);
  }
}

function lettersOf({ letters }: Plan, rejections: readonly Rejection[]): DeadLetter[] {
  const refused = rejections.map(({ delivery: { event }, reason }) => ({
    event,
    refusedBy: 'sink' as const,
    reason,
  }));
  return [...letters, ...refused];
}

/** What the plan counts, less what the destination has refused. */
function settledCounts({ counts }: Plan, rejections: readonly Rejection[]): MutableCounts {
  const refused = rejections.filter(({ delivery }) => delivery.event.leafHash !== null).length;
  return {
    ...counts,
    delivered: counts.delivered - refused,
    deadLettered: counts.deadLettered + refused,
  };
}
