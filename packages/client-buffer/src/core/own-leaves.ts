import type { Actor, Bytes, DeviceId, Target } from '@tachograph/wire';
import type { Change } from '../log-store.ts';
import { advance, packBlocks } from './blocks.ts';
import { gapData } from './commit.ts';
import { closesFor } from './purge.ts';
import type { Rows } from './rows.ts';

/** An event that the library itself writes; by the device, unless an actor is named. */
export type OwnLeaf = {
  readonly action: string;
  readonly data: object;
  readonly actor?: Actor;
  readonly targets?: readonly Target[];
};
export type EncodeOwn = (leaf: OwnLeaf, device: DeviceId) => Bytes;

/**
 * A change of the rows, and what the library records about it, in one transaction: neither can be without the other. The
 * app's cap does not count here, since a report that a purge is done is not to wait for room. Where the change leaves a
 * revoked device with nothing to destroy, the log is closed in the same transaction.
 */
export function planOwn(
  rows: Rows,
  change: Partial<Rows>,
  leaves: readonly OwnLeaf[],
  encode: EncodeOwn,
): Pick<Change<unknown>, 'rows' | 'append'> {
  const { log, totals, gap } = rows;
  if (log === null || log.closed) return { rows: change };
  const directive = closesFor({ ...rows, ...change });
  const closing =
    directive === null
      ? []
      : [
          // The last chance to declare it.
          ...(gap === null ? [] : [{ action: 'buffer.gap', data: gapData(gap) }]),
          { action: 'log.closed', data: { reason: 'revoked', directive } },
        ];
  const encoded = [...leaves, ...closing].map((leaf) => encode(leaf, log.device));
  if (encoded.length === 0) return { rows: change };
  const grown = { ...log, head: advance(log.head, encoded) };
  return {
    rows: {
      ...change,
      log: directive === null ? grown : { ...grown, closed: true },
      ...(directive === null ? {} : { gap: null }),
      totals: {
        ...totals,
        recorded: totals.recorded + encoded.length,
        durable: totals.durable + encoded.length,
      },
    },
    append: packBlocks(log.device, log.head.range.size, encoded),
  };
}
