import type { DeviceId } from '@tachograph/wire';
import type { Change } from '../log-store.ts';
import { REJECTIONS_MAX, type Position, type Receipt, type Rejection, type Rows } from './rows.ts';

/** A receipt that verified, with the position that this client computed at its size. */
export type VerifiedReceipt = {
  readonly device: DeviceId;
  readonly position: Position;
  readonly receipt: Receipt;
  readonly rejected: readonly Rejection[];
};

/**
 * Stores a receipt and deletes what it covers, in one transaction. A tab that was frozen for an hour wakes with old
 * answers: only a larger size, or the same at a later time, of the present log is ever stored.
 */
export function planReceipt(
  rows: Rows,
  { device, position, receipt, rejected }: VerifiedReceipt,
): Change<boolean> {
  const { log, totals } = rows;
  if (log === null || log.device !== device) return { result: false };
  const held = log.receipt ?? { size: 0, time: -1 };
  const grows = receipt.size > held.size || (receipt.size === held.size && receipt.time > held.time);
  if (!grows || receipt.size !== position.range.size || receipt.size > log.head.range.size)
    return { result: false };
  // A 409 repeats rejections: only those between the two receipts are new.
  const fresh = rejected.filter(({ index }) => index >= held.size && index < receipt.size);
  return {
    result: true,
    rows: {
      log: {
        ...log,
        base: position,
        receipt,
        rejected: [...log.rejected, ...fresh].slice(-REJECTIONS_MAX),
      },
      totals: {
        ...totals,
        accepted: totals.accepted + receipt.size - held.size,
        rejected: totals.rejected + fresh.length,
      },
    },
    drop: { device, size: receipt.size },
    // Nothing will ever be signed for this log again: its key goes with its last receipt, those before it as well.
    ...(log.closed && receipt.size === log.head.range.size
      ? { dropIdentities: [device, ...log.lineage.map((ancestor) => ancestor.device)] }
      : {}),
  };
}
