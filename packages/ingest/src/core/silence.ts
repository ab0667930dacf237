/** How long a device may be silent. Times are milliseconds since the epoch. */
export type Contact = {
  /** When its newest request note arrived. */
  readonly seenAt: number;
  /** The longest recent time between two of its notes. */
  readonly habitMs: number;
  /** When its lease ends at the latest; `null` where it has none. */
  readonly leaseEndsAt: number | null;
};

export type Silence = 'habit' | 'lease';

/** A silence that is this many times as long as the longest recent one is no habit any more. */
const HABIT_FACTOR = 2;

/**
 * Why a device counts as dark, or `null`. Its habit is given `minimumMs` at least: who is at work on weekdays comes
 * back after a weekend.
 */
export function silenceOf(
  { seenAt, habitMs, leaseEndsAt }: Contact,
  minimumMs: number,
  now: number,
): Silence | null {
  if (now - seenAt > Math.max(minimumMs, HABIT_FACTOR * habitMs)) return 'habit';
  // A device that still calls after its lease has ended is no longer given one: it is refused, and not silent.
  return leaseEndsAt !== null && seenAt < leaseEndsAt && leaseEndsAt < now ? 'lease' : null;
}
