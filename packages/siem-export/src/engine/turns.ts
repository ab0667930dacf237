/** Lets one piece of work run after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all earlier turns are over, however they ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    // Whoever asked for the turn hears of its failure; the next one only waits for its end.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
