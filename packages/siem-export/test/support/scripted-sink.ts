import { z } from 'zod';
import type { Delivery, OpenSink, Outcome, Sink } from '../../src/sinks/sink.ts';

/** A destination whose answers a test decides: an outcome for each line and its attempt, or an error for the batch. */
export class ScriptedSink implements OpenSink {
  readonly parallel = true;
  limits = { batchEventsMax: 1_000, batchBytesMax: 1024 * 1024 };
  /** Every batch that was sent, as its lines. */
  readonly sent: string[][] = [];
  readonly accepted: string[] = [];
  readonly #answer: (line: string, attempt: number) => Outcome | Error;
  readonly #attempts = new Map<string, number>();

  constructor(answer: (line: string, attempt: number) => Outcome | Error) {
    this.#answer = answer;
  }

  async deliver(batch: readonly Delivery[], _signal?: AbortSignal): Promise<readonly Outcome[]> {
    const lines = batch.map(({ line }) => line);
    this.sent.push(lines);
    const outcomes: Outcome[] = [];
    let failure: Error | null = null;
    for (const line of lines) {
      const attempt = (this.#attempts.get(line) ?? 0) + 1;
      this.#attempts.set(line, attempt);
      const answer = this.#answer(line, attempt);
      if ('kind' in answer) outcomes.push(answer);
      else failure = answer;
    }
    if (failure !== null) throw failure;
    for (const [i, { kind }] of outcomes.entries()) if (kind === 'delivered') this.accepted.push(lines[i]!);
    return outcomes;
  }

  async committed(): Promise<void> {}

  mark(): string | null {
    return null;
  }

  async close(): Promise<void> {}
}

/** The kind of destination that always opens `sink`. */
export function sinkKind(type: string, sink: OpenSink): Sink {
  return { type, config: z.strictObject({ type: z.literal(type) }), open: async () => sink };
}
