import { isSpent, newLog, type Problem } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { AuditBufferError } from './errors.ts';
import { MemoryLogStore } from './memory-log-store.ts';

/**
 * Opens the log of this device, and makes its key at first start. Where the browser stores nothing (private or
 * lockdown modes, a key that cannot be stored) it goes on in memory, and answers what is to be said about that.
 *
 * @throws AuditBufferError ERR_INSECURE_CONTEXT, ERR_NO_ED25519
 */
export async function openLog(parts: CoreParts): Promise<Problem | null> {
  try {
    await openInStore(parts);
    return null;
  } catch (error) {
    if (!(error instanceof AuditBufferError) || !error.code.startsWith('ERR_STORAGE')) throw error;
    parts.state.fallBack(new MemoryLogStore());
    await openInStore(parts);
    return { code: error.code, detail: `nothing is stored on this device: ${error.detail}` };
  }
}

async function openInStore({ state, keyring, adapters }: CoreParts): Promise<void> {
  const { rows } = await state.read();
  if (rows.log === null) {
    const { identity, origin } = await keyring.create();
    await state.transact(({ rows: { log } }) => {
      // Two tabs may come here at first start: the first one's key is the device's, and the second adopts it.
      if (log !== null) return { result: null };
      const { device, publicKey } = identity;
      const row = newLog({ device, origin, publicKey }, adapters.clock.wallMs());
      return { result: null, rows: { log: row }, identity };
    });
  }
  const { log } = state.rows;
  // Read back: a store that takes a key and does not give one back is found out now, and not at the first signature.
  if (log !== null && !isSpent(log)) await keyring.signer(log.device);
}

/**
 * Where the log is spent, begins another one under a new key: whoever is taken on again enrols as a new device. What was
 * purged stays refused until its first lease, and an order that is open stays so.
 */
export async function replaceSpentLog({ state, keyring, adapters }: CoreParts): Promise<void> {
  if (state.rows.log === null || !isSpent(state.rows.log)) return;
  const { identity, origin } = await keyring.create();
  await state.transact(({ rows: { log, cache } }) => {
    if (log === null || !isSpent(log)) return { result: null };
    const { device, publicKey } = identity;
    const row = newLog({ device, origin, publicKey }, adapters.clock.wallMs());
    return {
      result: null,
      rows: {
        log: row,
        lease: null,
        enrolment: null,
        cache: cache === null ? null : { ...cache, closes: null, epoch: cache.epoch + 1 },
      },
      identity,
    };
  });
  adapters.tabs.announce();
}
