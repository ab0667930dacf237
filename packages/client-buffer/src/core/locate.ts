import type { DeviceId } from '@tachograph/wire';
import type { LogRow, Receipt } from './rows.ts';

/** Where an entry stands now, however often its log was succeeded. */
export type Located =
  | { readonly kind: 'pending' }
  | {
      readonly kind: 'accepted';
      readonly origin: string;
      readonly index: number;
      readonly receipt: Receipt;
      readonly rejected: string | null;
    }
  /** It was damaged in the store and not carried over. */
  | { readonly kind: 'lost' };

/** Follows leaf `index` of `device` through the successors that `log` knows. */
export function locate(device: DeviceId, index: number, log: LogRow): Located {
  let [at, place] = [device, index];
  for (const ancestor of log.lineage) {
    if (ancestor.device !== at) continue;
    if (ancestor.receipt !== null && place < ancestor.receipt.size)
      return { kind: 'accepted', index: place, ...acceptedIn(ancestor, place, ancestor.receipt) };
    if (place < ancestor.carriedFrom || place >= ancestor.carriedFrom + ancestor.count)
      return { kind: 'lost' };
    [at, place] = [ancestor.successor, place - ancestor.carriedFrom + 1];
  }
  if (at !== log.device || log.receipt === null || place >= log.receipt.size) return { kind: 'pending' };
  return { kind: 'accepted', index: place, ...acceptedIn(log, place, log.receipt) };
}

function acceptedIn(
  { origin, rejected }: Pick<LogRow, 'origin' | 'rejected'>,
  index: number,
  receipt: Receipt,
) {
  return { origin, receipt, rejected: rejected.find((entry) => entry.index === index)?.code ?? null };
}
