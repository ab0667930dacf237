import { PartitionLost, type GroupHandler, type GroupReader } from '@tachograph/event-log';
import { BlockCache } from '../feed/block-cache.ts';
import { noFeedCounts, sumOfFeedCounts, type FeedCounts } from '../feed/feed-counts.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import type { Route } from '../route.ts';
import { retryDelayMs } from './backoff.ts';
import { ByteShares } from './byte-shares.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import { messageOf } from './message-of.ts';
import { PartitionRun, type PartitionSurroundings } from './partition-run.ts';
import { receiptSeconds } from './receipts.ts';
import { RouteRunner, type RouteStatus } from './route-runner.ts';
import { Turns } from './turns.ts';

/** The one reading group of all exporters of a log: who has a partition runs every route over it. */
export const EXPORT_GROUP = 'export';

export type FeedStatus = {
  /** Why the log is not being read, or `null`. */
  readonly reason: string | null;
  readonly counts: FeedCounts;
  /** By partition that this process reads: the offset up to which the filter has come. */
  readonly positions: ReadonlyMap<number, number>;
};

/** Reads the ordered log for all routes of this process, and starts, changes and ends routes while it does. */
export class Engine {
  readonly #surroundings: ExporterSurroundings;
  readonly #blocks: BlockCache;
  readonly #shares = new ByteShares(EXPORT_LIMITS.underWayBytesMax, EXPORT_LIMITS.chunkBytesMin);
  readonly #runners = new Map<string, RouteRunner>();
  readonly #partitions = new Map<number, PartitionRun>();
  /** Counts of partitions that are not read any more. */
  #ended: FeedCounts = noFeedCounts();
  /** Changes of the routes and of the partitions come one after the other. */
  readonly #changes = new Turns();
  #reason: string | null = null;

  constructor(surroundings: ExporterSurroundings, routes: readonly Route[]) {
    this.#surroundings = surroundings;
    this.#blocks = new BlockCache(surroundings.log, EXPORT_LIMITS.blockCacheBytesMax);
    for (const route of routes) this.#runners.set(route.name, this.#runnerOf(route));
  }

  /** Reads until `signal` aborts. Never rejects: whatever fails is said, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#surroundings;
    const idle = setInterval(() => void this.#storeIdle(), EXPORT_LIMITS.idlePositionsMs).unref();
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#runOnce(signal);
      } catch (error) {
        if (this.#reason === null) attempt = 1;
        const waitMs = retryDelayMs(attempt, random());
        this.#reason = messageOf(error);
        logger.error({ err: error, waitMs }, 'feed.failed');
        await clock.sleep(waitMs, signal);
      }
    }
    clearInterval(idle);
    await this.#changes.take(async () => {
      await Promise.all([...this.#runners.values()].map((runner) => runner.close()));
    });
    logger.info({ ...this.feed().counts }, 'feed.stopped');
  }

  /** Ends routes that are gone or changed, and starts those that are new or changed. The others go on untouched. */
  apply(routes: readonly Route[]): Promise<void> {
    return this.#changes.take(async () => {
      const wanted = new Map(routes.map((route) => [route.name, route]));
      for (const [name, runner] of this.#runners) {
        if (isSame(runner.route, wanted.get(name))) continue;
        await Promise.all([...this.#partitions.values()].map((partition) => partition.remove(name)));
        await runner.close();
        this.#runners.delete(name);
      }
      const added = routes
        .filter(({ name }) => !this.#runners.has(name))
        .map((route) => this.#runnerOf(route));
      for (const runner of added) this.#runners.set(runner.route.name, runner);
      await Promise.all([...this.#partitions.values()].map((partition) => partition.add(added)));
    });
  }

  feed(): FeedStatus {
    const partitions = [...this.#partitions];
    return {
      reason: this.#reason,
      counts: sumOfFeedCounts([this.#ended, ...partitions.map(([, { feed }]) => feed.counts)]),
      positions: new Map(partitions.map(([id, { feed }]) => [id, feed.next])),
    };
  }

  routes(): RouteStatus[] {
    return [...this.#runners.values()].map((runner) => runner.status());
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { log, instance } = this.#surroundings;
    // The folder's lock keeps a second process out: an earlier reader of this name can only be a dead one of ours.
    const reader = await log.openGroup(EXPORT_GROUP, { instance });
    const end = new AbortController();
    // The tracks end first: what they have under way can be stored only as long as the partitions are this reader's.
    const stop = (): void => void this.#stopPartitions().finally(() => end.abort());
    if (signal.aborted) return;
    signal.addEventListener('abort', stop);
    try {
      await reader.run(this.#handler(reader), end.signal);
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#stopPartitions();
    }
  }

  #handler(reader: GroupReader): GroupHandler {
    const shared: PartitionSurroundings = {
      surroundings: this.#surroundings,
      reader,
      blocks: this.#blocks,
      shares: this.#shares,
      receiptSeconds: receiptSeconds(this.#surroundings.cosignerKeys),
    };
    return {
      assigned: (id, position) =>
        this.#changes.take(async () => {
          const runners = [...this.#runners.values()];
          this.#partitions.set(id, await PartitionRun.open(id, position, runners, shared));
          this.#reason = null;
        }),
      batch: async (id, records) => {
        const partition = this.#partitions.get(id);
        // Given up a moment ago, with everything that was under way.
        if (partition === undefined) throw new PartitionLost(id);
        await partition.take(records);
      },
      revoked: (id) => this.#changes.take(() => this.#stopPartition(id)),
    };
  }

  #stopPartitions(): Promise<void> {
    return this.#changes.take(async () => {
      await Promise.all([...this.#partitions.keys()].map((id) => this.#stopPartition(id)));
    });
  }

  async #stopPartition(id: number): Promise<void> {
    const partition = this.#partitions.get(id);
    if (partition === undefined) return;
    this.#partitions.delete(id);
    this.#ended = sumOfFeedCounts([this.#ended, partition.feed.counts]);
    await partition.stop();
  }

  async #storeIdle(): Promise<void> {
    for (const [partition, run] of this.#partitions) {
      try {
        await run.storeIdle();
      } catch (error) {
        this.#surroundings.logger.warn({ partition, err: error }, 'positions.not_stored');
      }
    }
  }

  #runnerOf(route: Route): RouteRunner {
    return new RouteRunner(route, this.#surroundings, (key) => this.#marks(key));
  }

  /** What the commits of every partition have stored under `key`, whoever reads it. */
  async #marks(key: string): Promise<string[]> {
    const { log } = this.#surroundings;
    const { partitions } = await log.describe();
    const reader = await log.openGroup(EXPORT_GROUP);
    const marks: string[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const mark = (await reader.load(partition, [key])).get(key);
      if (mark !== undefined) marks.push(mark);
    }
    return marks;
  }
}

function isSame(route: Route, other: Route | undefined): boolean {
  return other !== undefined && JSON.stringify(route) === JSON.stringify(other);
}
