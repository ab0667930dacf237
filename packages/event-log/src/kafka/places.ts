/** Where brokers may be found, as `host:port`, the most promising first. Shared by all connections of a log. */
export class Places {
  readonly #configured: ReadonlySet<string>;
  #order: readonly string[];

  constructor(configured: readonly string[]) {
    this.#configured = new Set(configured);
    this.#order = [...this.#configured];
  }

  get order(): readonly string[] {
    return this.#order;
  }

  /** Takes over which brokers there are. Those of the settings stay, even if they are not among them. */
  learn(places: readonly string[]): void {
    const named = new Set([...places, ...this.#configured]);
    const known = this.#order.filter((place) => named.has(place));
    this.#order = [...known, ...[...named].filter((place) => !known.includes(place))];
  }

  /** Whoever asks next begins elsewhere. */
  failed(place: string): void {
    this.#order = [...this.#order.filter((other) => other !== place), place];
  }
}
