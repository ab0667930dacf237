import type { EventLog, LogRecord } from '@tachograph/event-log';
import { partitionOf } from '@tachograph/event-log';
import type { Clock, Logger } from '../../src/runtime.ts';

export type LoggedLine = { readonly level: keyof Logger; readonly name: string; readonly fields: object };

/** A logger that keeps its lines. */
export function keepingLogger(): Logger & { readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: keyof Logger) => (fields: object, name: string) =>
    void lines.push({ level, name, fields });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** A clock that passes every wait at once and remembers how long it would have been. */
export class FastClock implements Clock {
  readonly waits: number[] = [];
  time = Date.parse('2026-11-23T08:00:00.000Z');

  now(): number {
    return this.time;
  }

  async sleep(ms: number): Promise<void> {
    this.waits.push(ms);
    this.time += ms;
    // Others get their turn, so that what is waited for can happen.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Appends as a lane does: in one piece, to the partition of the records' key. */
export async function appendTo(log: EventLog, records: readonly LogRecord[]): Promise<void> {
  const { partitions } = await log.describe();
  const outcome = await log.append(
    partitionOf(records[0]!.key, partitions),
    records,
    new AbortController().signal,
  );
  if (outcome.kind !== 'appended') throw new Error(`the log did not append: ${outcome.kind}`);
}
