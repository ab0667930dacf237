import type { Exporter, ExporterStatus, RouteInput } from '@tachograph/siem-export';
import type { RoutesApplier } from '../routes/routes-keeper.ts';

type Start = (routes: readonly RouteInput[]) => Exporter;

/**
 * An exporter whose routes change by stopping it and starting it anew: each route goes on from its position, so
 * nothing is lost or doubled, but all of them pause for a moment.
 */
export class RestartingExporter implements Exporter, RoutesApplier {
  readonly #start: Start;
  #current: Exporter;

  /** @throws what `start` throws */
  constructor(start: Start, routes: readonly RouteInput[]) {
    this.#start = start;
    this.#current = start(routes);
  }

  async apply(routes: readonly RouteInput[]): Promise<void> {
    await this.#current.close();
    this.#current = this.#start(routes);
  }

  status(): ExporterStatus {
    return this.#current.status();
  }

  metrics(): Promise<string> {
    return this.#current.metrics();
  }

  close(): Promise<void> {
    return this.#current.close();
  }
}
