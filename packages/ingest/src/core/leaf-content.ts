import { leafHash, type Bytes, type ErrorCode } from '@tachograph/wire';
import { parseLeaf } from '@tachograph/wire/schema';
import type { LeafClock } from './time-bounds.ts';

/** What ingest needs to know of a leaf's content; the leaf itself is forwarded as it is. */
type LeafContent =
  | {
      readonly kind: 'event';
      readonly action: string;
      readonly clock: LeafClock;
      readonly seen: SeenReceipt | null;
      /** Set for `log.opened` of a successor. */
      readonly carried: Carried | null;
      /** Set for `cache.purged` and `log.closed`. */
      readonly attests: Attested | null;
    }
  | { readonly kind: 'rejected'; readonly code: ErrorCode };

/** The receipt that a leaf says its device held. */
export type SeenReceipt = { readonly size: number; readonly timeSeconds: number };

/** Leaves that a successor carries over: its index 1 is the predecessor's index `from`. */
export type Carried = { readonly from: number; readonly count: number };

/** What a device says of its cache: a directive was carried out, or all of the cache is destroyed and the log ends. */
export type Attested = { readonly kind: 'purged'; readonly directive: string } | { readonly kind: 'closed' };

/** The actions whose leaves may attest it. */
export const ATTESTING: ReadonlySet<string> = new Set(['cache.purged', 'log.closed']);

/** A leaf with its hash and its content, read once. */
export type ReadLeaf = { readonly bytes: Bytes; readonly hash: Bytes; readonly content: LeafContent };

export function readLeaf(bytes: Bytes, ofTenantLog: boolean): ReadLeaf {
  return { bytes, hash: leafHash(bytes), content: contentOf(bytes, ofTenantLog) };
}

function contentOf(bytes: Bytes, ofTenantLog: boolean): LeafContent {
  const parsed = parseLeaf(bytes, { ofTenantLog });
  if (!parsed.ok) return { kind: 'rejected', code: parsed.fault.code };
  const { action, time, clock, seen, data } = parsed.value;
  return {
    kind: 'event',
    action,
    clock: { wallAt: Date.parse(time), boot: clock.boot, monotonicMs: clock.ms },
    seen: seen === undefined ? null : { size: seen.size, timeSeconds: seen.time },
    carried: action === 'log.opened' ? carriedOf(data) : null,
    attests: attestedBy(action, data),
  };
}

function attestedBy(action: string, data: { readonly [name: string]: unknown } | undefined): Attested | null {
  if (action === 'log.closed') return data?.['reason'] === 'revoked' ? { kind: 'closed' } : null;
  const directive = action === 'cache.purged' ? data?.['directive'] : undefined;
  return typeof directive === 'string' ? { kind: 'purged', directive } : null;
}

function carriedOf(data: { readonly [name: string]: unknown } | undefined): Carried | null {
  const { carriedFrom: from, count } = data ?? {};
  return typeof from === 'number' && typeof count === 'number' && count > 0 ? { from, count } : null;
}
