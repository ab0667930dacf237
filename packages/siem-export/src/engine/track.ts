import type { StateChanges } from '@tachograph/event-log';
import type { Chunk } from '../feed/chunk.ts';
import type { Committer } from '../feed/committer.ts';
import type { PartitionFeed } from '../feed/partition-feed.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import type { Route } from '../route.ts';
import { retryDelayMs } from './backoff.ts';
import type { ByteShares } from './byte-shares.ts';
import { noCounts, type MutableCounts } from './counts.ts';
import { Deferred, RouteStopped, waitOut, type Trouble, type TroubleContext } from './delivery.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import { messageOf } from './message-of.ts';
import type { Settlement } from './settlement.ts';

export type TrackParts = {
  readonly route: Route;
  readonly partition: number;
  /** Everything before it is settled. */
  readonly position: number;
  readonly feed: PartitionFeed;
  readonly committer: Committer;
  readonly settlement: Settlement;
  readonly shares: ByteShares;
  readonly surroundings: ExporterSurroundings;
  readonly trouble: (trouble: Trouble | null) => void;
  readonly counted: (counts: MutableCounts) => void;
  /** Told of offsets that retention has removed before they were read. */
  readonly expired: (from: number, to: number) => void;
  /** Told whenever the track has got on or is in trouble. */
  readonly moved: () => void;
};

/** The state in which the position of a route stands. */
export function positionKey(route: string): string {
  return `position|${route}`;
}

/**
 * One route in one partition, at its own pace. In order: a chunk is settled before the next one is read. What fails
 * is read again, so that a destination which is away for a week costs no memory.
 */
export class Track {
  readonly #parts: TrackParts;
  readonly #stop = new AbortController();
  /** Where reading goes on. */
  #cursor: number;
  /** The position as it is stored. */
  #stored: number;
  /** At the end of the feed, or with nothing in between that the route asks for. */
  #isIdle = false;
  #isInTrouble = false;
  #wake: (() => void) | null = null;

  constructor(parts: TrackParts) {
    this.#parts = parts;
    this.#cursor = parts.position;
    this.#stored = parts.position;
  }

  /** Offset up to which everything is settled. */
  get position(): number {
    return this.#isIdle ? this.#parts.feed.next : this.#cursor;
  }

  /** The position as a restart would find it. */
  get storedPosition(): number {
    return this.#stored;
  }

  /** Whether it is getting on: reading may wait for it. */
  get isFollowing(): boolean {
    return !this.#isIdle && !this.#isInTrouble;
  }

  /** Something that the route asks for stands from `offset` on. */
  notice(offset: number): void {
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.#cursor = Math.max(this.#cursor, offset);
    this.#wake?.();
  }

  /** Never rejects: what fails is tried again. Ends when it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    const end = (): void => this.#wake?.();
    signal.addEventListener('abort', end);
    for (let attempt = 1; !signal.aborted;) {
      const before = this.#cursor;
      try {
        await this.#step();
        attempt = 1;
      } catch (error) {
        if (signal.aborted && error instanceof RouteStopped) break;
        if (this.#cursor > before) attempt = 1;
        await this.#waitOut(error, attempt++);
      }
    }
    signal.removeEventListener('abort', end);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** What is to be stored so that a restart does not read again what this route did not ask for. */
  unstored(): StateChanges {
    const { position } = this;
    return position === this.#stored
      ? new Map()
      : new Map([[positionKey(this.#parts.route.name), String(position)]]);
  }

  /** Says that `unstored` is stored. */
  stored(changes: StateChanges): void {
    const position = changes.get(positionKey(this.#parts.route.name));
    if (position !== undefined) this.#stored = Number(position);
  }

  async #step(): Promise<void> {
    const { feed, shares } = this.#parts;
    const share = shares.take(EXPORT_LIMITS.chunkBytesMax);
    let chunk;
    try {
      chunk = await this.#read(share.bytes);
      if (chunk.expired > 0) this.#parts.expired(this.#cursor, this.#cursor + chunk.expired);
      share.keepOnly(chunk.bytes);
      if (chunk.events.length > 0) {
        await this.#settle(await this.#grown(chunk, share.bytes));
        return;
      }
    } finally {
      share.giveBack();
    }
    this.#cursor = chunk.next;
    // Nothing is awaited between this look and falling asleep: what comes afterwards wakes.
    if (this.#cursor < feed.next) return;
    this.#isIdle = true;
    this.#parts.moved();
    await new Promise<void>((resolve) => {
      if (this.#stop.signal.aborted) resolve();
      else this.#wake = resolve;
    });
    this.#wake = null;
  }

  #read(bytesMax: number): Promise<Chunk> {
    const { chunkEventsMax: eventsMax } = EXPORT_LIMITS;
    return this.#parts.feed.read(this.#cursor, this.#parts.route, { eventsMax, bytesMax });
  }

  /** Few events wait a moment for more, so that a destination is not asked for each. */
  async #grown(chunk: Chunk, bytesMax: number): Promise<Chunk> {
    const { feed, route, surroundings } = this.#parts;
    const isLarge = chunk.events.length >= EXPORT_LIMITS.chunkEventsMax / 10 || chunk.bytes >= bytesMax / 10;
    if (isLarge || chunk.next < feed.next || route.batchAgeMs === 0) return chunk;
    await surroundings.clock.sleep(route.batchAgeMs, this.#stop.signal);
    return this.#read(bytesMax);
  }

  async #settle({ events, next }: Chunk): Promise<void> {
    const { settlement, counted, moved } = this.#parts;
    const counts = await settlement.settle(events, this.#context(), {
      keep: (changes) => this.#store(changes, this.#cursor),
      move: (changes) => this.#store(changes, next),
    });
    this.#cursor = next;
    this.#trouble(null);
    counted({ ...counts, commits: counts.commits + 1 });
    moved();
  }

  async #store(changes: StateChanges, position: number): Promise<void> {
    const { committer, route } = this.#parts;
    await committer.commit(new Map(changes).set(positionKey(route.name), String(position)));
    this.#stored = position;
  }

  async #waitOut(error: unknown, attempt: number): Promise<void> {
    const { surroundings } = this.#parts;
    if (error instanceof Deferred) {
      const waitMs = error.waitMs ?? retryDelayMs(attempt, surroundings.random());
      await waitOut(error.trouble, waitMs, this.#context());
      return;
    }
    const waitMs = retryDelayMs(attempt, surroundings.random());
    const { name } = this.#parts.route;
    surroundings.logger.error({ route: name, err: error, waitMs }, 'route.failed');
    this.#trouble({ kind: 'retrying', reason: messageOf(error) });
    await surroundings.clock.sleep(waitMs, this.#stop.signal);
  }

  #context(): TroubleContext {
    const { clock, random, logger } = this.#parts.surroundings;
    const trouble = (what: Trouble | null): void => this.#trouble(what);
    return { route: this.#parts.route.name, clock, random, logger, signal: this.#stop.signal, trouble };
  }

  #trouble(trouble: Trouble | null): void {
    this.#isInTrouble = trouble !== null;
    this.#parts.trouble(trouble);
    if (trouble !== null) this.#parts.moved();
  }
}

/** Retention has removed what a route had not read. Which entries they were, the filter tells by device. */
export function expiredCounts(offsets: number): MutableCounts {
  return { ...noCounts(), expired: offsets };
}
