/** A bucket that fills evenly up to its capacity. `level` is as of `at`, milliseconds since the epoch. */
export type Bucket = { readonly level: number; readonly at: number };

export type Rate = { readonly perSecond: number; readonly capacity: number };

/** How full `bucket` is at `now`. A clock that was set back fills nothing. */
export function levelAt(bucket: Bucket, rate: Rate, now: number): number {
  const gained = (Math.max(0, now - bucket.at) / 1000) * rate.perSecond;
  return Math.min(rate.capacity, bucket.level + gained);
}

/** Takes `cost`, or says after how many seconds there will be enough; the bucket then stays as it was. */
export function take(
  bucket: Bucket,
  rate: Rate,
  now: number,
  cost: number,
): { ok: true; bucket: Bucket } | { ok: false; retryAfterSeconds: number } {
  const level = levelAt(bucket, rate, now);
  if (level >= cost) return { ok: true, bucket: { level: level - cost, at: Math.max(now, bucket.at) } };
  const wanted = Math.min(cost, rate.capacity) - level;
  return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(wanted / rate.perSecond)) };
}
