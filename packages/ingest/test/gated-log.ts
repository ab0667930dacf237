import type { AppendOutcome, EventLog } from '@tachograph/event-log';

/** A log that can be made to hold appends, or to be away; while it is neither, it is the one below. */
export class GatedLog {
  /** Appends that were asked for, and looks at where a partition ends. */
  appends = 0;
  looks = 0;
  #isAway = false;
  #held: (() => void)[] | null = null;

  /** Appends do not settle until {@link release}. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const go of held) go();
  }

  /** Nothing can be appended or read until {@link back}. */
  away(): void {
    this.#isAway = true;
  }

  back(): void {
    this.#isAway = false;
  }

  wrap = (log: EventLog): EventLog => ({
    describe: () => log.describe(),
    readRange: (partition, from, to) => log.readRange(partition, from, to),
    openGroup: (group) => log.openGroup(group),
    close: () => log.close(),
    offsets: async (partition) => {
      this.looks++;
      if (this.#isAway) throw new Error('the log is away');
      return log.offsets(partition);
    },
    append: async (partition, records, deadline): Promise<AppendOutcome> => {
      this.appends++;
      await this.#gate(deadline);
      if (deadline.aborted) return { kind: 'ambiguous', cause: deadline.reason };
      if (this.#isAway) return { kind: 'ambiguous', cause: new Error('the log is away') };
      return log.append(partition, records, deadline);
    },
  });

  #gate(deadline: AbortSignal): Promise<void> {
    const held = this.#held;
    if (held === null) return Promise.resolve();
    return new Promise((resolve) => {
      held.push(resolve);
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
