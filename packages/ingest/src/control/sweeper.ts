import type { ControlContext } from '../api-context.ts';
import { findDarkDevices } from './dark-devices.ts';
import { signOpenOrders } from './sign-open-orders.ts';
import { orderForSuccessors } from './successor-purges.ts';

const PAUSE_MS = 60_000;
const INDEX_MS_MAX = 30_000;
/**
 * How long after its start a node takes no device for dark: where the whole service was away, every device was kept
 * from calling, and is given the longest wait that a client keeps between two tries.
 */
const GRACE_MS = 3_600_000;

/**
 * What the control role does by itself, each minute: it looks for dark devices, has a new directive key sign
 * what the old one ordered, orders purges for successors and reads exposures on. Each step is a conditional change, so several control nodes do no harm.
 */
export class ControlSweeper {
  readonly #context: ControlContext;
  readonly #startedAt: number;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(context: ControlContext) {
    this.#context = context;
    this.#startedAt = context.clock();
  }

  /** Sweeps once, after the sweep that runs, and from then on each minute. */
  async sweep(): Promise<void> {
    while (this.#running !== null) await this.#running;
    if (this.#stop.signal.aborted) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#running = this.#sweep();
    await this.#running;
    this.#running = null;
    this.#timer = setTimeout(() => void this.sweep(), PAUSE_MS);
    this.#timer.unref();
  }

  /** Lets the step under way end. */
  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { exposures, logger } = this.#context;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(INDEX_MS_MAX)]);
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['dark_devices', () => this.#findDark()],
      ['open_orders', () => signOpenOrders(this.#context)],
      ['successors', () => orderForSuccessors(this.#context)],
      ['exposures', () => exposures.catchUp(signal)],
    ];
    for (const [step, work] of steps) {
      if (this.#stop.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        // The next minute tries again; the other steps have nothing to do with this one.
        logger.error({ err: error, step }, 'sweep.failed');
      }
    }
  }

  async #findDark(): Promise<void> {
    const { clock } = this.#context;
    if (clock() - this.#startedAt >= GRACE_MS) await findDarkDevices(this.#context);
  }
}
