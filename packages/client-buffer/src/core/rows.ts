import type { Bytes, CompactRange, DeviceId, ErrorCode, Origin } from '@tachograph/wire';
import { EMPTY_RANGE } from '@tachograph/wire';
import type { CacheRow } from './cache-row.ts';

/** A size of the log, the compact range there, and the bytes of all leaves below it (each with its line feed). */
export type Position = { readonly range: CompactRange; readonly bytes: number };

/** A device-signed checkpoint as it is sent. */
export type SealedCheckpoint = { readonly size: number; readonly source: string };

/** The newest verified receipt. `source` is the cosigned checkpoint, which brings a server's lost state back. */
export type Receipt = { readonly size: number; readonly time: number; readonly source: string };

export type Rejection = { readonly index: number; readonly code: string };

/** A log that this one succeeded: leaf `carriedFrom + k` there is leaf `1 + k` in `successor`, for `count` leaves. */
export type Ancestor = {
  readonly device: DeviceId;
  readonly origin: Origin;
  readonly successor: DeviceId;
  readonly carriedFrom: number;
  readonly count: number;
  readonly receipt: Receipt | null;
  readonly rejected: readonly Rejection[];
};

/** The log that entries are appended to now. `base` stands at the receipt's size, `head` at the log's end. */
export type LogRow = {
  readonly device: DeviceId;
  readonly origin: Origin;
  readonly publicKey: Bytes;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly head: Position;
  readonly base: Position;
  readonly checkpoint: SealedCheckpoint | null;
  readonly receipt: Receipt | null;
  /** The newest rejections, at most {@link REJECTIONS_MAX}. */
  readonly rejected: readonly Rejection[];
  readonly lineage: readonly Ancestor[];
  /** Nothing is recorded any more: the device is revoked and its cache destroyed. The key goes with the last receipt. */
  readonly closed?: true;
};

export const REJECTIONS_MAX = 1_000;

export type Totals = {
  readonly recorded: number;
  readonly durable: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly gap: number;
  readonly lost: number;
};

/** Events that were refused and are not yet declared in the log. Times in milliseconds since the epoch. */
export type Gap = {
  readonly count: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
};

/** The pinned directive keys, and the newest keys note that they lead to. */
export type TrustRow = {
  readonly directive: readonly string[];
  readonly counter: number;
  readonly note: string;
  /** The notes between, oldest first, by which one directive key handed over to the next. */
  readonly handovers?: readonly string[];
};

export type EnrolmentRow = {
  /** The log that this is about: a successor enrols anew. */
  readonly device: DeviceId;
  readonly status:
    | 'none'
    /** The credential was sent and no answer came: ingest may know the device or not. */
    | 'uncertain'
    | 'pending_approval'
    | 'enrolled'
    | 'quarantined'
    | 'revoked'
    /** Ingest said that it does not know this device. */
    | 'unknown';
  readonly challenge: string | null;
  /** The succession note that enrols a successor. */
  readonly succession: string | null;
};

/** The tab that uploads at present, until `until` (milliseconds since the epoch). */
type ClaimRow = { readonly tab: string; readonly until: number };

/** What the monotonic clock of a page read when the lease had counted so much. */
type PageClock = { readonly boot: string; readonly ms: number; readonly countedMs: number };

export type LeaseRow = {
  /** The log that it was granted to. */
  readonly device: DeviceId;
  readonly blockAfterMs: number;
  readonly wipeAfterMs: number;
  readonly scopes: readonly string[];
  /** Wall clock when the request that earned this lease was sent. */
  readonly sentAt: number;
  readonly highestWall: number;
  /** Monotonic milliseconds that have passed since sending, as far as the pages that were open know. */
  readonly countedMs: number;
  readonly pages: readonly PageClock[];
  /** The clock was found set back, and `clock.stepped` recorded. */
  readonly stepped: boolean;
  /** The end was found, and `lease.expired` recorded. */
  readonly ended: boolean;
};

/** Everything small that a store holds. */
export type Rows = {
  readonly log: LogRow | null;
  readonly totals: Totals;
  readonly gap: Gap | null;
  readonly trust: TrustRow | null;
  readonly enrolment: EnrolmentRow | null;
  readonly claim: ClaimRow | null;
  readonly lease: LeaseRow | null;
  readonly cache: CacheRow | null;
};

export const EMPTY_ROWS: Rows = {
  log: null,
  totals: { recorded: 0, durable: 0, accepted: 0, rejected: 0, gap: 0, lost: 0 },
  gap: null,
  trust: null,
  enrolment: null,
  claim: null,
  lease: null,
  cache: null,
};

export const START: Position = { range: EMPTY_RANGE, bytes: 0 };

/** A closed log of which everything has its receipt: its key is gone, and nothing can be sent for it any more. */
export function isSpent({ closed, base, head }: LogRow): boolean {
  return closed === true && base.range.size === head.range.size;
}

/** A log row without entries. */
export function newLog(
  identity: { device: DeviceId; origin: Origin; publicKey: Bytes },
  openedAt: number,
): LogRow {
  return {
    ...identity,
    openedAt,
    head: START,
    base: START,
    checkpoint: null,
    receipt: null,
    rejected: [],
    lineage: [],
  };
}

/** Code of whatever went wrong last. */
export type Problem = { readonly code: ErrorCode; readonly detail: string };
