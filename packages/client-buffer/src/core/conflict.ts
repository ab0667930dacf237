/** What is known once a 409's or 422's checkpoint has verified and the store was read again. */
export type ConflictFacts = {
  /** Ingest's size. */
  readonly size: number;
  /** Size of the receipt held when the request was sent. */
  readonly sentReceipt: number;
  /** Size of the receipt and of the head, read now. */
  readonly receipt: number;
  readonly head: number;
};

export type ConflictStep =
  /** An answer from the past: another tab has gone on. */
  | 'stale'
  /** Ingest holds more than this device has: the storage was rolled back. */
  | 'rolled-back'
  /** Ingest holds less than it gave a receipt for. */
  | 'lost-by-ingest'
  /** The roots at ingest's size tell whether it is a receipt or a fork. */
  | 'compare-roots';

/** PROTOCOL, "409 and 422", in its order. */
export function resolveConflict({ size, sentReceipt, receipt, head }: ConflictFacts): ConflictStep {
  if (size < receipt && size >= sentReceipt) return 'stale';
  if (size > head) return 'rolled-back';
  if (size < sentReceipt) return 'lost-by-ingest';
  return 'compare-roots';
}
