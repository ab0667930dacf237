/** What is known of one device that was told to purge. Times are milliseconds since the epoch. */
export type PurgeState = {
  readonly confirmedAt: number | null;
  /** When its offline cache is refused at the latest; `null` where it never was granted any. */
  readonly blocksAt: number | null;
};

/**
 * Where a purge has ended, or `pending`. `purged` is what the device attests. A lease that is over makes an honest
 * app refuse the cache; that it did nobody has said.
 */
export type PurgeEnd = 'purged' | 'lease_expired_unconfirmed' | 'pending';

export function purgeEndOf({ confirmedAt, blocksAt }: PurgeState, now: number): PurgeEnd {
  if (confirmedAt !== null) return 'purged';
  return blocksAt === null || blocksAt <= now ? 'lease_expired_unconfirmed' : 'pending';
}
