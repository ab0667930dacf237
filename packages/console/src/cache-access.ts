import {
  AuditBufferError,
  type AuditBuffer,
  type CacheKeyAccess,
  type OfflineAccess,
} from '@tachograph/client-buffer';

type Access = Pick<AuditBuffer, 'offlineAccess' | 'cacheKey'>;

/** Whether everything in the cache may be used now; `null` is a no, too. */
export async function accessOf(audit: Access): Promise<OfflineAccess | null> {
  return orNoAnswer(audit.offlineAccess({ scope: '*' }));
}

/** The key of a vault, if it may be used now; `null` is a no, too. */
export async function keyOf(audit: Access, scope: string): Promise<CacheKeyAccess | null> {
  return orNoAnswer(audit.cacheKey({ scope }));
}

/** A store that fails, or a buffer that did not open, is a no. */
function orNoAnswer<T>(answer: Promise<T>): Promise<T | null> {
  return answer.catch((error: unknown) => {
    if (error instanceof AuditBufferError) return null;
    throw error;
  });
}
