import type { Choice } from '../feed/choice.ts';
import type { Track } from './track.ts';

/** The tracks of one partition by the tenants whose events they ask for. */
export class TracksByTenant {
  readonly #ofAll = new Set<Track>();
  readonly #ofTenant = new Map<string, Set<Track>>();

  add(track: Track, { tenants }: Choice): void {
    if (tenants === '*') this.#ofAll.add(track);
    else for (const tenant of tenants) this.#tracks(tenant).add(track);
  }

  remove(track: Track, { tenants }: Choice): void {
    if (tenants === '*') this.#ofAll.delete(track);
    else for (const tenant of tenants) this.#tracks(tenant).delete(track);
  }

  /** Those that ask for events of any of `tenants`. */
  *of(tenants: Iterable<string>): Generator<Track> {
    yield* this.#ofAll;
    for (const tenant of tenants) yield* this.#ofTenant.get(tenant) ?? [];
  }

  #tracks(tenant: string): Set<Track> {
    const found = this.#ofTenant.get(tenant) ?? new Set();
    this.#ofTenant.set(tenant, found);
    return found;
  }
}
