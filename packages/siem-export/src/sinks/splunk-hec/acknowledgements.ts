import { z } from 'zod';

/** What is known of an event that was sent and is not acknowledged. */
type Waiting = { readonly ackIds: number[] };

const answer = z.object({ acks: z.record(z.string(), z.boolean()) });

/** The acknowledgements that are true in an answer to `/ack`; none where it is no such answer. Pure. */
export function acksIn(body: string): ReadonlySet<number> {
  let parsed;
  try {
    parsed = answer.safeParse(JSON.parse(body));
  } catch {
    // What is no answer acknowledges nothing.
    return new Set();
  }
  if (!parsed.success) return new Set();
  return new Set(
    Object.entries(parsed.data.acks)
      .filter(([, isThere]) => isThere)
      .map(([id]) => Number(id)),
  );
}

/**
 * Which events wait for which acknowledgements. An acknowledgement may never come although the events are there; so a
 * batch is sent three times at most, and after that only asked for: a destination that forgets to answer
 * gets no endless copies.
 */
export class Acknowledgements {
  readonly #sendsMax: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(sendsMax: number) {
    this.#sendsMax = sendsMax;
  }

  /** Every acknowledgement that would settle one of `ids`. */
  idsFor(ids: readonly string[]): number[] {
    return [...new Set(ids.flatMap((id) => this.#waiting.get(id)?.ackIds ?? []))];
  }

  /** Whether `ids` may be sent once more. */
  maySend(ids: readonly string[]): boolean {
    return ids.every((id) => (this.#waiting.get(id)?.ackIds.length ?? 0) < this.#sendsMax);
  }

  sent(ids: readonly string[], ackId: number): void {
    for (const id of ids) {
      const waiting = this.#waiting.get(id) ?? { ackIds: [] };
      waiting.ackIds.push(ackId);
      this.#waiting.set(id, waiting);
    }
  }

  /** Those of `ids` that one of `acks` settles. They are forgotten. */
  settle(ids: readonly string[], acks: ReadonlySet<number>): Set<string> {
    const settled = new Set(ids.filter((id) => this.#waiting.get(id)?.ackIds.some((ack) => acks.has(ack))));
    for (const id of settled) this.#waiting.delete(id);
    return settled;
  }
}
