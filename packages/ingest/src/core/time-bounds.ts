/** What the device's newest request note says of its clocks. All in milliseconds; `At` since the epoch. */
export type SenderClock = {
  readonly boot: string;
  readonly monotonicMs: number;
  /** The device's wall clock when it sent the note. */
  readonly wallAt: number;
  /** Ingest's clock when the note arrived. */
  readonly receivedAt: number;
};

/** A leaf's own statement of when it was recorded. */
export type LeafClock = { readonly wallAt: number; readonly boot: string; readonly monotonicMs: number };

type TimeEstimate = 'monotonic' | 'wall' | 'unbounded';

/** When an event occurred, as well as anyone can know. Milliseconds since the epoch. */
export type TimeBounds = {
  /** `null` where nothing bounds it from below. */
  readonly earliest: number | null;
  readonly latest: number;
  readonly best: number;
  readonly estimate: TimeEstimate;
  /** Between the best time and reception. */
  readonly latenessMs: number;
};

/** How far wall clock and monotonic clock may part before the wall clock counts as having been set. */
const CLOCK_AGREEMENT_MS = 2_000;

/**
 * The bounds of one leaf. `receivedAt` is when ingest received it, `sender` the newest request note of its device
 * (this request's own where it has one), `earliest` the time of the cosignature that the leaf had seen, where
 * ingest issued it. Order never follows from any of this: it comes from the log.
 */
export function timeBounds(
  leaf: LeafClock,
  receivedAt: number,
  sender: SenderClock | null,
  earliest: number | null,
): TimeBounds {
  const sameBoot = sender !== null && sender.boot === leaf.boot;
  const sinceLeafMs = sameBoot ? sender.monotonicMs - leaf.monotonicMs : 0;
  // A monotonic clock may stop in sleep, so it only ever measures too little: for a leaf before the note
  // that still is an upper bound, for one after the note it would be none.
  const bound =
    sameBoot && sinceLeafMs >= 0 ? Math.min(receivedAt, sender.receivedAt - sinceLeafMs) : receivedAt;
  // A device may claim any reading: nothing was recorded before 1970.
  const latest = Math.max(0, Math.round(bound));
  const { guess, estimate } = estimateOf(leaf, sender, sinceLeafMs, sameBoot);
  const best = Math.min(Math.max(Math.round(guess), earliest ?? 0), latest);
  return { earliest, latest, best, estimate, latenessMs: Math.max(0, receivedAt - best) };
}

function estimateOf(
  leaf: LeafClock,
  sender: SenderClock | null,
  sinceLeafMs: number,
  sameBoot: boolean,
): { guess: number; estimate: TimeEstimate } {
  if (sender === null) return { guess: leaf.wallAt, estimate: 'unbounded' };
  if (sameBoot && Math.abs(sender.wallAt - leaf.wallAt - sinceLeafMs) <= CLOCK_AGREEMENT_MS) {
    return { guess: sender.receivedAt - sinceLeafMs, estimate: 'monotonic' };
  }
  const offsetMs = sender.wallAt - sender.receivedAt;
  return { guess: leaf.wallAt - offsetMs, estimate: 'wall' };
}

/** Where an event stands to the revocation of its device. */
export function revocationOf(bounds: TimeBounds, revokedAt: number): 'before' | 'straddles' | 'after' {
  if (bounds.latest < revokedAt) return 'before';
  return bounds.earliest !== null && bounds.earliest >= revokedAt ? 'after' : 'straddles';
}
