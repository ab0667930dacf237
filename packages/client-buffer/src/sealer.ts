import { formatCheckpoint, rootOf, signNote } from '@tachograph/wire';
import type { CompactRange, DeviceId } from '@tachograph/wire';
import type { LogRow, SealedCheckpoint } from './core/rows.ts';
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
    this.#running ??= this.#sealAll();
    return this.#running;
  }

  /** A checkpoint of any committed size of the log of `device`. */
  async sign(device: DeviceId, range: CompactRange): Promise<SealedCheckpoint> {
    const origin = this.#keyring.originOf(device);
    const text = formatCheckpoint({ origin, size: range.size, root: rootOf(range) });
    return { size: range.size, source: await signNote(text, await this.#keyring.signer(device)) };
  }

  async #sealAll(): Promise<void> {
    // Not before the caller has noted that this runs.
    await Promise.resolve();
    try {
      for (let log = this.#unsealed(); log !== null; log = this.#unsealed())
        await this.#store(log.device, await this.sign(log.device, log.head.range));
    } finally {
      // In the same turn as the last look at the head: whoever commits after it finds nothing running.
      this.#running = null;
    }
  }

  #unsealed(): LogRow | null {
    const { log } = this.#state.rows;
    return log !== null && log.head.range.size > (log.checkpoint?.size ?? 0) ? log : null;
  }

  /** A checkpoint is only ever replaced by a larger one of the same log. */
  async #store(device: DeviceId, sealed: SealedCheckpoint): Promise<void> {
    await this.#state.transact(({ rows: { log } }) =>
      log?.device === device && sealed.size > (log.checkpoint?.size ?? 0)
        ? { result: null, rows: { log: { ...log, checkpoint: sealed } } }
        : { result: null },
    );
  }
}
