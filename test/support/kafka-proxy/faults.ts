import type { ApiName } from './frames.ts';

/** What happens to one request and its response. Whatever comes after on the same connection keeps its order. */
export type Fault =
  /** The broker gets the request and answers; nobody hears of it. The connection stays. */
  | { readonly kind: 'swallow' }
  /** The response is late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection ends before the broker has the request. */
  | { readonly kind: 'cut-before' }
  /** The connection ends once the broker has answered, in the place of its answer: the client has to ask again. */
  | { readonly kind: 'cut-after' }
  /** Half of the response arrives, then the connection ends. */
  | { readonly kind: 'cut-within' }
  /** The broker gets the request when it is released, also where the client has gone by then. */
  | { readonly kind: 'hold-request' }
  /** The response arrives when it is released. */
  | { readonly kind: 'hold-response' };

/** The fault of the nth request, counted from 1 since the faults were set; `undefined` for none. */
export type FaultsByCount = (nth: number) => Fault | undefined;

/** A request that met a fault. */
export type Hit = { readonly api: ApiName; readonly nth: number; readonly kind: Fault['kind'] };

export type Counts = { readonly requests: number; readonly responses: number };

type Rule = { readonly faults: FaultsByCount; seen: number };

/** Decides, by kind of request and count over all connections, what meets which fault; and keeps the counts. */
export class FaultPlan {
  readonly #rules = new Map<ApiName, Rule>();
  readonly #counts = new Map<ApiName, { requests: number; responses: number }>();
  readonly #hits: Hit[] = [];
  #gates: (() => void)[] = [];

  /** Replaces the faults of one kind of request. */
  set(api: ApiName, faults: FaultsByCount): void {
    this.#rules.set(api, { faults, seen: 0 });
  }

  clear(): void {
    this.#rules.clear();
  }

  /** Counts a request, and says what becomes of it. */
  meet(api: ApiName): Fault | null {
    this.#countsOf(api).requests++;
    const rule = this.#rules.get(api);
    if (rule === undefined) return null;
    const nth = ++rule.seen;
    const fault = rule.faults(nth);
    if (fault === undefined) return null;
    this.#hits.push({ api, nth, kind: fault.kind });
    return fault;
  }

  /** Counts a response of the broker, whether or not it is passed on. */
  answered(api: ApiName): void {
    this.#countsOf(api).responses++;
  }

  counts(api: ApiName): Counts {
    return { ...this.#countsOf(api) };
  }

  get hits(): readonly Hit[] {
    return [...this.#hits];
  }

  get held(): number {
    return this.#gates.length;
  }

  /** Resolves at the next release. */
  hold(): Promise<void> {
    return new Promise((resolve) => {
      this.#gates.push(resolve);
    });
  }

  release(): void {
    for (const open of this.#gates) open();
    this.#gates = [];
  }

  #countsOf(api: ApiName): { requests: number; responses: number } {
    const counts = this.#counts.get(api) ?? { requests: 0, responses: 0 };
    this.#counts.set(api, counts);
    return counts;
  }
}
