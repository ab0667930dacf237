import { estimatedBytes, type AppendSource } from '../core/append-records.ts';
import type { LogKey, Head } from '../registry/heads.ts';
import type { Sighting } from '../registry/sightings.ts';
import type { Fault } from '@tachograph/wire';

/** One verified request that waits for its lane: an append, or a check-in where it has no leaves. */
export type AppendJob = {
  readonly source: AppendSource;
  /** From this request's note. */
  readonly sighting: Sighting | null;
  readonly predecessor: string | null;
};

/** What became of a request. */
export type JobResult =
  /** Its checkpoint is durable and may be cosigned with this time. */
  | { readonly kind: 'settled'; readonly cosignedSeconds: number }
  /** It starts elsewhere than where the log ends (409), or its root does not follow (422). */
  | { readonly kind: 'conflict' | 'mismatch'; readonly head: Head }
  /** Nothing is known to have been appended; the same request may be sent again. */
  | { readonly kind: 'refused'; readonly fault: Fault };

export function keyOf(job: AppendJob): LogKey {
  return { tenant: job.source.tenant, device: job.source.device };
}

/** What a job counts against the bounds of its lane. */
export function bytesOf(job: AppendJob): number {
  return estimatedBytes(job.source);
}
