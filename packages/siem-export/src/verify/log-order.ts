import type { Bytes } from '@tachograph/wire';
import type { FeedEntry } from './feed-entry.ts';
import { IndexRanges } from './index-ranges.ts';
import { LogChain, type Report } from './log-chain.ts';
import { misplaced } from './misplaced.ts';

/** The hash of the entry at an index that was carried over from another log of the feed; `null` where none was. */
export type CarriedHash = (index: number) => Bytes | null;

/** Entries of one log that may wait for one before them. More, and what they wait for is missing. */
const WAITING_MAX = 10_000;

/**
 * One log of a feed: brings its entries into the order of their indices, tells of those that are missing, doubled or
 * at another place, and hands the others on to the tree.
 */
export class LogOrder {
  readonly #report: Report;
  readonly #isOrdered: boolean;
  readonly #carriedHash: CarriedHash;
  readonly chain: LogChain;
  readonly #waiting = new Map<number, FeedEntry>();
  readonly #spares = new Map<number, FeedEntry>();
  /** In the order of reading, while something waits: to tell which stands at another place than its own. */
  #arrivals: number[] = [];
  /** The lowest index that the feed has, once that is known. */
  firstTaken: number | null = null;
  /** Indices that were given up. */
  readonly #missing = new IndexRanges();

  constructor(origin: string, isOrdered: boolean, carriedHash: CarriedHash, report: Report) {
    this.#isOrdered = isOrdered;
    this.#carriedHash = carriedHash;
    this.#report = report;
    this.chain = new LogChain(origin, report);
  }

  get missing(): Iterable<{ readonly from: number; readonly to: number }> {
    return this.#missing;
  }

  /** Keeps an entry for the case that the feed does not have it. To be called before the feed is read. */
  spare(entry: FeedEntry): void {
    this.#spares.set(entry.index, entry);
  }

  take(entry: FeedEntry): void {
    const { chain } = this;
    this.firstTaken = Math.min(this.firstTaken ?? entry.index, entry.index);
    if (entry.index < chain.next || this.#waiting.has(entry.index)) return this.#again(entry);
    this.#fill(entry.index);
    if (entry.index === chain.next && this.#waiting.size === 0) return chain.take(entry);
    this.#arrivals.push(entry.index);
    this.#waiting.set(entry.index, entry);
    this.#drain();
    if (this.#waiting.size > WAITING_MAX) this.#skip();
  }

  /** To be called at the end of the feed. */
  end(): void {
    while (this.#waiting.size > 0) this.#skip();
    this.#fill(Infinity);
    this.chain.end();
  }

  /** Entries before `index` that the feed leaves out: a dead letter has them, or the log that they were carried from. */
  #fill(index: number): void {
    while (this.chain.next < index) {
      const spare = this.#spares.get(this.chain.next);
      if (spare !== undefined) {
        this.chain.take(spare);
        continue;
      }
      const hash = this.#carriedHash(this.chain.next);
      if (hash === null) return;
      this.chain.takeHash(hash);
    }
  }

  #drain(): void {
    const { chain } = this;
    for (;;) {
      const entry = this.#waiting.get(chain.next);
      if (entry === undefined) break;
      this.#waiting.delete(entry.index);
      chain.take(entry);
    }
    if (this.#waiting.size > 0) return;
    if (this.#isOrdered) {
      for (const index of misplaced(this.#arrivals)) this.#report('disordered', index, index + 1, null);
    }
    this.#arrivals = [];
  }

  /** Gives up what the waiting ones wait for. */
  #skip(): void {
    const { chain } = this;
    let first = Infinity;
    for (const index of this.#waiting.keys()) first = Math.min(first, index);
    this.#missing.add(chain.next, first);
    chain.skipTo(first);
    this.#drain();
  }

  #again(entry: FeedEntry): void {
    const { index, place } = entry;
    if (this.#missing.delete(index)) {
      this.#report('disordered', index, index + 1, `it stands at ${place}, far from its own place`);
      this.#report('unproven', index, index + 1, 'its append was read without it');
    } else this.#report('doubled', index, index + 1, `once more at ${place}`);
  }
}
