/** What has been opened, to be closed in the opposite order, also where opening the next thing failed. */
export class Closers {
  readonly #closers: (() => void | Promise<void>)[] = [];

  add(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes everything; a failure does not keep the rest open, and the first one is thrown at the end. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Opens with `open`, and closes what it had opened where it fails. */
export async function opening<T>(
  open: (closers: Closers) => Promise<T>,
): Promise<T & { readonly close: () => Promise<void> }> {
  const closers = new Closers();
  try {
    const opened = await open(closers);
    return { ...opened, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
