import type { Bytes, DeviceId } from '@tachograph/wire';
import type { Adapters } from './adapters.ts';
import type { BufferConfig } from './audit-buffer.ts';
import { makeLeaf, type EventInput, type Leaf, type Stamp } from './core/event.ts';
import type { OwnLeaf } from './core/own-leaves.ts';
import { Reach } from './core/reach.ts';
import { leafEncoder } from './leaf-encoder.ts';
import type { SharedState } from './shared-state.ts';
import type { Step } from './step.ts';

/** Makes leaves: what is recorded, with when and where it was. */
export class LeafMaker {
  readonly #adapters: Adapters;
  readonly #state: SharedState;
  readonly #boot: string;
  readonly #app: BufferConfig['app'];
  readonly #reach = new Reach();
  readonly #encode = leafEncoder();

  constructor(adapters: Adapters, state: SharedState, boot: string, app: BufferConfig['app']) {
    this.#adapters = adapters;
    this.#state = state;
    this.#boot = boot;
    this.#app = app;
  }

  /**
   * An event of the app's, and its wall clock.
   * @throws AuditBufferError ERR_EVENT_INVALID, ERR_EVENT_TOO_LARGE
   */
  event(input: EventInput): Leaf & { readonly wallMs: number } {
    const stamp = this.#stamp();
    return {
      ...makeLeaf({ ...input, app: this.#app }, stamp, this.#seen(), this.#encode),
      wallMs: stamp.wallMs,
    };
  }

  /** An event that the library itself writes, into the log of `device` or of this device. */
  own(leaf: OwnLeaf, device?: DeviceId): Bytes {
    const id = device ?? this.#state.rows.log?.device ?? 'unknown';
    const input = { actor: { id, type: 'device' }, app: this.#app, ...leaf };
    return makeLeaf(input, this.#stamp(), this.#seen()).bytes;
  }

  /** Takes note of how an exchange with ingest ended: events say whether their device could reach it. */
  exchanged(step: Step): void {
    this.#reach.ended(step, this.#state.rows.log?.receipt ?? null);
  }

  #seen() {
    const receipt = this.#state.rows.log?.receipt ?? null;
    return receipt === null ? null : { size: receipt.size, time: receipt.time };
  }

  #stamp(): Stamp {
    const { clock, page, random } = this.#adapters;
    return {
      wallMs: clock.wallMs(),
      boot: this.#boot,
      monotonicMs: clock.monotonicMs(),
      online: page.online() && this.#reach.holds(this.#state.rows.log?.receipt ?? null),
      random: random(10),
    };
  }
}
