import { formatCheckpoint, rootOf, signNote } from '@tachograph/wire';
import type { CompactRange, DeviceId } from '@tachograph/wire';
import type { SealedCheckpoint } from './core/rows.ts';
import type { Keyring } from './keyring.ts';
import type { SharedState } from './shared-state.ts';

/** Signs committed heads. Never inside a transaction: the head stands before its signature is made. */
export class Sealer {
  readonly #state: SharedState;
  readonly #keyring: Keyring;
  #running: Promise<void> | null = null;

  constructor(state: SharedState, keyring: Keyring) {
    this.#state = state;
    this.#keyring = keyring;
  }

  /** Signs the newest committed head, and goes on until no unsigned one is left. Calls made meanwhile share the work. */
  seal(): Promise<void> {
    this.#running ??= this.#sealAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** A checkpoint of any committed size of the log of `device`. */
  async sign(device: DeviceId, range: CompactRange): Promise<SealedCheckpoint> {
    const origin = this.#keyring.originOf(device);
    const text = formatCheckpoint({ origin, size: range.size, root: rootOf(range) });
    return { size: range.size, source: await signNote(text, await this.#keyring.signer(device)) };
  }

  async #sealAll(): Promise<void> {
    for (;;) {
      const { log } = this.#state.rows;
      if (log === null || log.head.range.size <= (log.checkpoint?.size ?? 0)) return;
      const sealed = await this.sign(log.device, log.head.range);
      await this.#state.transact(({ rows }) => {
        // A checkpoint is only ever replaced by a larger one of the same log.
        const larger = rows.log?.device === log.device && sealed.size > (rows.log.checkpoint?.size ?? 0);
        return larger
          ? { result: null, rows: { log: { ...rows.log, checkpoint: sealed } } }
          : { result: null };
      });
    }
  }
}
