import type { EventLog } from '@tachograph/event-log';
import type { Timing } from '../timing.ts';

/** What it takes to read a log. */
export type LogReads = Pick<EventLog, 'offsets' | 'readRange'>;

export type ReadBounds = {
  readonly timing: Timing;
  /** How long each answer of the log is waited for. */
  readonly waitMsMax: number;
  /** Ends the waiting at once. */
  readonly stop: AbortSignal;
};

/**
 * The same reads, each answer of which comes in time or rejects: a broker that is silent holds up neither those who
 * wait nor the end of this process. What was asked of it goes on unheard, which does no harm, since it only reads.
 */
export function boundedReads(log: LogReads, bounds: ReadBounds): LogReads {
  return {
    offsets: (partition) => within(bounds, () => log.offsets(partition)),
    readRange: (partition, from, to) => boundedRange(log.readRange(partition, from, to), bounds),
  };
}

async function* boundedRange<T>(range: AsyncIterable<T>, bounds: ReadBounds): AsyncGenerator<T> {
  const batches = range[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await within(bounds, () => batches.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    // Not awaited: a range that owes an answer ends after it.
    void batches.return?.();
  }
}

function within<T>({ timing, waitMsMax, stop }: ReadBounds, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) {
      reject(new Error('the log is not waited for any more'));
      return;
    }
    const stopped = (): void => end(() => reject(new Error('the log is not waited for any more')));
    const overdue = (): void =>
      end(() => reject(new Error(`the log did not answer a read within ${waitMsMax} ms`)));
    const cancel = timing.after(waitMsMax, overdue);
    const end = (settle: () => void): void => {
      cancel();
      stop.removeEventListener('abort', stopped);
      settle();
    };
    stop.addEventListener('abort', stopped, { once: true });
    ask().then(
      (answer) => end(() => resolve(answer)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}
