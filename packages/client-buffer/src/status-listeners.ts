import type { BufferStatus } from './audit-buffer.ts';

type Listener = (status: BufferStatus) => void;

/** Whoever wants to know how the buffer stands. */
export class StatusListeners {
  readonly #status: () => BufferStatus;
  readonly #listeners = new Set<Listener>();
  #due = false;

  constructor(status: () => BufferStatus) {
    this.#status = status;
  }

  /** Tells `listener` the present status, and every later one until the answer is called. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    listener(this.#status());
    return () => this.#listeners.delete(listener);
  }

  /** Tells all, once for everything that changes in this turn of the event loop. */
  notify(): void {
    if (this.#due || this.#listeners.size === 0) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      const status = this.#status();
      for (const listener of this.#listeners) {
        // Each in a turn of its own: one that throws keeps no other from being told.
        queueMicrotask(() => {
          if (this.#listeners.has(listener)) listener(status);
        });
      }
    });
  }
}
