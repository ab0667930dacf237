import type { Route } from '../route.ts';
import { addCounts, noCounts, type RouteCounts } from './counts.ts';
import type { Trouble } from './delivery.ts';
import { Destination, type LoadMarks } from './destination.ts';
import type { ExporterSurroundings } from './exporter-surroundings.ts';
import type { Track } from './track.ts';
import { Settlement } from './settlement.ts';

export type RouteStatus = {
  readonly name: string;
  /** `halted`: somebody has to change something; it is tried again now and then all the same. */
  readonly state: 'starting' | 'running' | 'retrying' | 'halted' | 'stopped';
  /** Why it is not running. */
  readonly reason: string | null;
  readonly counts: RouteCounts;
  /** By partition: the offset up to which everything is settled. */
  readonly positions: ReadonlyMap<number, number>;
};

/** A route in this process: its destination, and its tracks in the partitions that this process reads. */
export class RouteRunner {
  readonly route: Route;
  readonly settlement: Settlement;
  readonly #destination: Destination;
  readonly #counts = noCounts();
  readonly #tracks = new Map<number, Track>();
  readonly #troubles = new Map<number, Trouble>();
  #isStopped = false;

  constructor(route: Route, surroundings: ExporterSurroundings, loadMarks: LoadMarks) {
    this.route = route;
    this.#destination = new Destination(route, surroundings, loadMarks);
    this.settlement = new Settlement(route, surroundings, this.#destination);
  }

  joined(partition: number, track: Track): void {
    this.#tracks.set(partition, track);
  }

  left(partition: number): void {
    this.#tracks.delete(partition);
    this.#troubles.delete(partition);
  }

  count(counts: RouteCounts): void {
    addCounts(this.#counts, counts);
  }

  trouble(partition: number, trouble: Trouble | null): void {
    if (trouble === null) this.#troubles.delete(partition);
    else this.#troubles.set(partition, trouble);
  }

  status(): RouteStatus {
    const troubles = [...this.#troubles.values()];
    const worst = troubles.find(({ kind }) => kind === 'halted') ?? troubles[0];
    const running = this.#tracks.size === 0 ? 'starting' : 'running';
    return {
      name: this.route.name,
      state: this.#isStopped ? 'stopped' : (worst?.kind ?? running),
      reason: worst?.reason ?? null,
      counts: { ...this.#counts },
      positions: new Map([...this.#tracks].map(([partition, { position }]) => [partition, position])),
    };
  }

  /** To be called when no track runs any more. */
  async close(): Promise<void> {
    this.#isStopped = true;
    await this.#destination.close();
  }
}
