import { SYSTEM_TIMING, type Timing } from '../timing.ts';
import { RegistryUnavailableError } from './unavailable.ts';

type Waiting = { readonly enter: () => void };

/** Lets a few do their work at once; whoever comes meanwhile waits, in order, and not for ever. */
export class Turnstile {
  #free: number;
  readonly #waitMsMax: number;
  readonly #timing: Timing;
  readonly #waiting = new Set<Waiting>();

  /** @param waitMsMax how long a place is waited for */
  constructor(places: number, waitMsMax: number, timing: Timing = SYSTEM_TIMING) {
    this.#free = places;
    this.#waitMsMax = waitMsMax;
    this.#timing = timing;
  }

  /** @throws RegistryUnavailableError where no place comes free in time; nothing was begun then */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free++;
      else next.enter();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        enter: () => {
          cancel();
          this.#waiting.delete(waiting);
          resolve();
        },
      };
      const cancel = this.#timing.after(this.#waitMsMax, () => {
        this.#waiting.delete(waiting);
        reject(new RegistryUnavailableError(new Error('too many transactions wait for their turn')));
      });
      this.#waiting.add(waiting);
    });
  }
}
