import { parseEdge } from '@tachograph/event-log';
import {
  appendLeaves,
  bytesEqual,
  EMPTY_RANGE,
  fromBase64,
  leafHash,
  LIMITS,
  parseCheckpointNote,
  rootOf,
  utf8Text,
  type Bytes,
  type CheckpointNote,
  type CompactRange,
} from '@tachograph/wire';
import type { FeedEntry } from './feed-entry.ts';
import type { FindingKind } from './finding.ts';

/** Told of what is wrong: indices from `from` to before `to`. */
export type Report = (kind: FindingKind, from: number, to: number, detail: string | null) => void;

/** Hashes kept of a log, for a successor that carries its last entries. */
const RECENT_MAX = LIMITS.windowLeavesMax;
/** Checkpoints kept, so that a forged one at the end does not take with it what stands before. */
const CHECKPOINTS_MAX = 16;

type Open = { readonly index: number; readonly computed: Bytes | null; readonly claimed: Bytes | null };

/**
 * The tree of one log, rebuilt from its entries in ascending order. Every append ends with a checkpoint that the device
 * signed over everything before it; so one signature, checked at the end, proves all entries whose roots followed.
 */
export class LogChain {
  readonly #origin: string;
  readonly #report: Report;
  /** The tree before `#open`; `null` after something that it cannot be rebuilt across, until the next edge. */
  #range: CompactRange | null;
  /** Entries since the last checkpoint. */
  #open: Open[] = [];
  /** Where the next entry is expected. */
  #next: number;
  readonly #checkpoints: CheckpointNote[] = [];
  /** The signed hashes of the last entries; `#recent` ends at the last checkpoint. */
  #recent: Bytes[] = [];
  #recentEnd = 0;

  constructor(origin: string, report: Report) {
    this.#origin = origin;
    this.#report = report;
    this.#next = 0;
    this.#range = EMPTY_RANGE;
  }

  get next(): number {
    return this.#next;
  }

  /** The newest checkpoints whose roots followed from the entries, oldest first. Their signatures are still to be checked. */
  get checkpoints(): readonly CheckpointNote[] {
    return this.#checkpoints;
  }

  /** The leaf hash at `index`, where it followed and is not long ago. */
  hashAt(index: number): Bytes | null {
    return this.#recent[this.#recent.length - (this.#recentEnd - index)] ?? null;
  }

  /** Takes an entry that the feed has in another log, with these very bytes. */
  takeHash(hash: Bytes): void {
    this.#open.push({ index: this.#next, computed: hash, claimed: null });
    this.#next++;
  }

  /** Goes on at `index`, which is behind what is expected: nothing between is there. */
  skipTo(index: number): void {
    this.#giveUp('unproven', 'an entry of the same append is not there');
    this.#range = null;
    this.#next = index;
  }

  /** Takes the entry of index `next`. */
  take(entry: FeedEntry): void {
    const { index, leaf, claimedHash: claimed } = entry;
    if (entry.edge !== null) this.#beginAppend(index, entry.edge);
    const computed = leaf === null ? null : leafHash(leaf);
    this.#open.push({ index, computed, claimed });
    this.#next = index + 1;
    if (entry.checkpoint !== null) this.#endAppend(entry.checkpoint);
  }

  /** To be called at the end of the feed. */
  end(): void {
    const first = this.#open[0];
    if (first === undefined) return;
    const kind = this.#range === null ? 'unproven' : 'unsigned';
    this.#giveUp(kind, kind === 'unproven' ? 'nothing behind it lets it be checked' : null);
  }

  #beginAppend(index: number, header: string): void {
    // Entries before it that no checkpoint has closed: an append that lost its end.
    this.#giveUp('unproven', 'the checkpoint of its append is not there');
    if (this.#range !== null && this.#range.size === index) return;
    const edge = parseEdge(header);
    // What it says is not believed: only a root that the device signed can follow from it.
    this.#range = edge !== null && edge.size === index ? edge : null;
  }

  #endAppend(header: string): void {
    const open = this.#open;
    this.#open = [];
    const [from, to] = [open[0]!.index, this.#next];
    const checkpoint = checkpointIn(header);
    if (checkpoint === null || checkpoint.origin !== this.#origin || checkpoint.size !== to) {
      this.#report('altered', to - 1, to, 'its checkpoint is damaged');
      if (to - from > 1) this.#report('unproven', from, to - 1, 'the checkpoint of its append is damaged');
      this.#range = null;
      return;
    }
    if (this.#range === null) {
      this.#tellContradictions(open);
      this.#report('unproven', from, to, 'the tree before it is not known');
      return;
    }
    const found = followed(this.#range, open, checkpoint.root);
    if (found === null) {
      this.#report('altered', from, to, 'one of these, or more: which, the feed does not tell');
      this.#range = null;
      return;
    }
    for (const index of found.altered) this.#report('altered', index, index + 1, null);
    for (const index of found.mislabelled)
      this.#report('altered', index, index + 1, 'only what the feed says of its hash');
    this.#range = found.range;
    this.#checkpoints.push(checkpoint);
    if (this.#checkpoints.length > CHECKPOINTS_MAX) this.#checkpoints.shift();
    // Behind a stretch that could not be checked the hashes of before are of no use.
    const isContinued = this.#recent.length > 0 && this.#recentEnd === from;
    this.#recent = [...(isContinued ? this.#recent : []), ...found.hashes].slice(-RECENT_MAX);
    this.#recentEnd = to;
  }

  #giveUp(kind: FindingKind, detail: string | null): void {
    const first = this.#open[0];
    if (first === undefined) return;
    this.#tellContradictions(this.#open);
    this.#report(kind, first.index, this.#next, detail);
    this.#open = [];
    this.#range = null;
  }

  /** What cannot be checked against a signature may still contradict itself. */
  #tellContradictions(open: readonly Open[]): void {
    for (const { index } of open.filter(isContradictory)) {
      this.#report('altered', index, index + 1, 'it is not what the feed says of its hash');
    }
  }
}

/**
 * The range behind `open` if `root` follows, with those whose bytes are not what was signed (their hash is), and those
 * of which the feed says another hash than they have. `null` where it does not follow either way.
 */
function followed(range: CompactRange, open: readonly Open[], root: Bytes) {
  const differing = open.filter(isContradictory);
  const asComputed = open.map(({ computed }) => computed);
  if (asComputed.every((hash) => hash !== null)) {
    const after = appendLeaves(range, asComputed);
    if (bytesEqual(rootOf(after), root)) {
      return {
        range: after,
        hashes: asComputed,
        altered: [],
        mislabelled: differing.map(({ index }) => index),
      };
    }
  }
  if (differing.length === 0) return null;
  const asClaimed = open.map(({ computed, claimed }) => claimed ?? computed);
  if (!asClaimed.every((hash) => hash !== null)) return null;
  const after = appendLeaves(range, asClaimed);
  if (!bytesEqual(rootOf(after), root)) return null;
  return { range: after, hashes: asClaimed, altered: differing.map(({ index }) => index), mislabelled: [] };
}

/** Whether its bytes are damaged, or are not those of the hash that the feed says. */
function isContradictory({ computed, claimed }: Open): boolean {
  return computed === null || (claimed !== null && !bytesEqual(computed, claimed));
}

function checkpointIn(header: string): CheckpointNote | null {
  const bytes = fromBase64(header);
  const source = bytes === null ? null : utf8Text(bytes);
  const parsed = source === null ? null : parseCheckpointNote(source);
  return parsed?.ok ? parsed.value : null;
}
