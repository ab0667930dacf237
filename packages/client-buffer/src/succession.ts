import { signStatement, SUCCESSION_NOTE, type DeviceId, type SuccessionReason } from '@tachograph/wire';
import { gapData } from './core/commit.ts';
import { planSuccessor } from './core/successor.ts';
import type { CoreParts } from './core-parts.ts';

const WHY: { readonly [Reason in SuccessionReason]: string } = {
  fork: 'ingest holds other entries under this log: its storage was copied',
  rollback: 'ingest holds more entries than this device: its storage was set back',
  corrupt: 'the stored entries are not those that were signed',
};

/**
 * Opens a successor of the log of `from`, unless another tab has done so already: the loser adopts the winner. Entries
 * without a receipt go on in it, and their promises with them.
 */
export async function openSuccessor(
  parts: CoreParts,
  from: DeviceId,
  reason: SuccessionReason,
): Promise<void> {
  const { keyring, state, adapters, libraryLeaf } = parts;
  const old = await keyring.signer(from);
  const { identity, origin } = await keyring.create();
  const note = await signStatement(
    SUCCESSION_NOTE,
    { oldOrigin: keyring.originOf(from), newOrigin: origin, reason },
    old,
  );
  const nowMs = adapters.clock.wallMs();
  await state.transact(
    (snapshot) =>
      planSuccessor(snapshot, {
        from,
        identity,
        origin,
        reason,
        note,
        nowMs,
        openedLeaf: (data) => libraryLeaf({ action: 'log.opened', data }, identity.device),
        gapLeaf: (gap) => libraryLeaf({ action: 'buffer.gap', data: gapData(gap) }, identity.device),
      }),
    // All that waits, in one transaction: rare, and bounded by the cap.
    ({ log }) =>
      log?.device === from ? { device: from, from: log.base.range.size, bytesMax: Infinity } : null,
  );
  parts.report({ code: 'ERR_SUCCESSION', detail: WHY[reason] });
  adapters.tabs.announce();
}
