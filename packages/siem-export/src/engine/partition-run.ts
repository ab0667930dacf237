import { HEADER, PartitionLost } from '@tachograph/event-log';
import type { GroupReader, StateChanges, StoredRecord } from '@tachograph/event-log';
import type { BlockCache } from '../feed/block-cache.ts';
import { Committer } from '../feed/committer.ts';
import type { FeedBatch } from '../feed/feed-window.ts';
import { lifeAt, PartitionFeed } from '../feed/partition-feed.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import type { ByteShares } from './byte-shares.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import { expiredCounts, Track, positionKey } from './track.ts';
import { TracksByTenant } from './tracks-by-tenant.ts';
import type { ReceiptSeconds } from './receipts.ts';
import type { RouteRunner } from './route-runner.ts';

/** What the partitions of one exporter share. */
export type PartitionSurroundings = {
  readonly surroundings: ExporterSurroundings;
  readonly reader: GroupReader;
  readonly blocks: BlockCache;
  readonly shares: ByteShares;
  readonly receiptSeconds: ReceiptSeconds;
};

type Running = { readonly runner: RouteRunner; readonly track: Track; readonly ended: Promise<void> };

/** A partition that this process reads: its feed, and a track for each route. */
export class PartitionRun {
  readonly feed: PartitionFeed;
  readonly #partition: number;
  readonly #shared: PartitionSurroundings;
  readonly #committer: Committer;
  readonly #running = new Map<string, Running>();
  readonly #byTenant = new TracksByTenant();
  #isStopped = false;
  /** Where the next record is expected. */
  #handed: number;
  /** Wakes whoever waits for a track to get on. */
  #moved: (() => void) | null = null;

  private constructor(partition: number, position: number, life: number, shared: PartitionSurroundings) {
    const { reader, blocks, receiptSeconds } = shared;
    this.#partition = partition;
    this.#shared = shared;
    this.#committer = new Committer(reader, partition, position, () => this.#hold());
    const committer = this.#committer;
    const { log } = shared.surroundings;
    this.feed = new PartitionFeed({
      partition,
      position,
      life,
      log,
      reader,
      committer,
      blocks,
      receiptSeconds,
      grown: (batch) => this.#dispatch(batch),
    });
    this.#handed = position;
  }

  static async open(
    partition: number,
    position: number,
    runners: readonly RouteRunner[],
    shared: PartitionSurroundings,
  ): Promise<PartitionRun> {
    const run = new PartitionRun(
      partition,
      position,
      await lifeAt(shared.reader, partition, position),
      shared,
    );
    await run.add(runners);
    return run;
  }

  /** Tracks for routes that have none here yet. Each goes on where it is stored, a new one where its route says. */
  async add(runners: readonly RouteRunner[]): Promise<void> {
    const { surroundings, reader } = this.#shared;
    const keys = runners.map(({ route }) => positionKey(route.name));
    const stored = await reader.load(this.#partition, keys);
    const { oldest } = await surroundings.log.offsets(this.#partition);
    this.#handed = Math.max(this.#handed, oldest);
    const first = new Map<string, string>();
    for (const runner of runners) {
      const { name, start } = runner.route;
      const known = stored.get(positionKey(name));
      const from = known === undefined ? (start === 'now' ? this.feed.next : 0) : Number(known);
      // A position behind the end of the feed is from before the log was taken back.
      const position = Math.min(Math.max(from, oldest), this.feed.next);
      if (known === undefined) first.set(positionKey(name), String(position));
      else if (oldest > from) this.#expired(runner, from, oldest);
      this.#start(runner, position);
    }
    if (first.size > 0) await this.#committer.commit(first);
  }

  /** Ends the track of a route, if there is one, and stores where it stood. */
  async remove(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    running.track.stop();
    await running.ended;
    await this.#store([running]);
    this.#running.delete(name);
    this.#byTenant.remove(running.track, running.runner.route);
    running.runner.left(this.#partition);
  }

  async take(records: readonly StoredRecord[]): Promise<void> {
    const [first, last] = [records[0]!, records.at(-1)!];
    if (first.offset > this.#handed) {
      for (const { runner } of this.#running.values()) this.#expired(runner, this.#handed, first.offset);
    }
    this.#handed = last.offset + 1;
    await this.#room();
    await this.feed.take(records);
  }

  /** Stores where tracks stand that nothing came for, so that a restart does not read all that again. */
  async storeIdle(): Promise<void> {
    await this.#store([...this.#running.values()]);
  }

  /** Ends every track, and stores where they stood while the partition is still this reader's. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#moved?.();
    const all = [...this.#running.values()];
    for (const { track } of all) track.stop();
    await Promise.all(all.map(({ ended }) => ended));
    await this.#store(all);
    for (const { runner } of all) runner.left(this.#partition);
  }

  #start(runner: RouteRunner, position: number): void {
    const { surroundings, shares } = this.#shared;
    const { route, settlement } = runner;
    const track = new Track({
      route,
      partition: this.#partition,
      position,
      feed: this.feed,
      committer: this.#committer,
      settlement,
      shares,
      surroundings,
      trouble: (trouble) => runner.trouble(this.#partition, trouble),
      counted: (counts) => runner.count(counts),
      expired: (from, to) => this.#expired(runner, from, to),
      moved: () => this.#moved?.(),
    });
    this.#byTenant.add(track, route);
    runner.joined(this.#partition, track);
    this.#running.set(route.name, { runner, track, ended: track.run() });
  }

  #expired(runner: RouteRunner, from: number, to: number): void {
    const fields = { route: runner.route.name, partition: this.#partition, from, to };
    this.#shared.surroundings.logger.error(fields, 'route.records_expired');
    runner.count(expiredCounts(to - from));
  }

  #dispatch({ from, events }: FeedBatch): void {
    const tenants = new Set(events.map(({ headers }) => headers[HEADER.tenant] ?? ''));
    for (const track of this.#byTenant.of(tenants)) track.notice(from);
  }

  /**
   * Waits, for a while, for tracks that read what is about to leave the memory: a route that gets on should not have
   * to read the log a second time. One in trouble is not waited for.
   */
  async #room(): Promise<void> {
    const leaving = this.feed.leaving;
    if (leaving === null) return;
    const isWaitedFor = ({ track }: Running): boolean => track.isFollowing && track.position < leaving;
    let isPatient = true;
    const impatience = setTimeout(() => {
      isPatient = false;
      this.#moved?.();
    }, EXPORT_LIMITS.patienceMsMax);
    const isWaiting = (): boolean => isPatient && !this.#isStopped;
    while (isWaiting() && [...this.#running.values()].some(isWaitedFor)) {
      await new Promise<void>((resolve) => {
        this.#moved = resolve;
      });
    }
    this.#moved = null;
    clearTimeout(impatience);
  }

  #hold(): number {
    let oldest = this.feed.next;
    for (const { track } of this.#running.values()) oldest = Math.min(oldest, track.storedPosition);
    return oldest;
  }

  async #store(running: readonly Running[]): Promise<void> {
    const all = running.map(({ track }) => ({ track, changes: track.unstored() }));
    const changes: StateChanges = new Map(all.flatMap((one) => [...one.changes]));
    if (changes.size === 0) return;
    try {
      await this.#committer.commit(changes);
    } catch (error) {
      // Whoever has the partition now reads again what these routes did not ask for, and finds nothing in it.
      if (error instanceof PartitionLost) return;
      throw error;
    }
    for (const one of all) one.track.stored(one.changes);
  }
}
