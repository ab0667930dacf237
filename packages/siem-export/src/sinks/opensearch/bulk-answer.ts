import { z } from 'zod';
import type { Outcome } from '../sink.ts';

export type BulkAnswer = {
  readonly status: number;
  readonly retryAfterMs: number | null;
  readonly body: string;
};

const failure = z.object({ type: z.string(), reason: z.string().nullish() });
const item = z.object({ create: z.object({ status: z.int(), error: failure.optional() }) });
const answer = z.object({ items: z.array(item) });

/** A text of the destination, short and without what would drive a terminal. */
function said(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').slice(0, 300);
}

/** One outcome for each of `count` events, in their order. Pure. */
export function outcomesOf(response: BulkAnswer, count: number): Outcome[] {
  const { status, body } = response;
  if (status >= 200 && status < 300) {
    const items = itemsIn(body);
    if (items !== null && items.length === count) return items.map(({ create }) => outcomeOfItem(create));
    return all(count, { kind: 'retry', reason: 'it answered, but not as _bulk answers' });
  }
  return all(count, outcomeOfBatch(response));
}

function outcomeOfItem({ status, error }: z.infer<typeof item>['create']): Outcome {
  // 409: a document of this id is there already, which holds a part of the leaf hash: it is this one.
  if (status < 300 || status === 409) return { kind: 'delivered' };
  const reason = said(`${status} ${error?.type ?? ''}: ${error?.reason ?? ''}`);
  if (status === 429 || status >= 500) return { kind: 'retry', reason };
  if (error?.type === 'cluster_block_exception') return { kind: 'retry', reason };
  if (status === 401 || status === 403)
    return { kind: 'halt', reason: `${reason}: give the user create on the index` };
  if (status === 404) return { kind: 'halt', reason: `${reason}: make the index, or let the user make it` };
  // Whatever else it is, also by a name that did not exist when this was written: that event alone.
  return { kind: 'reject', reason };
}

function outcomeOfBatch({ status, retryAfterMs, body }: BulkAnswer): Outcome {
  const reason = said(`answered ${status}: ${body}`);
  if (status === 413) return { kind: 'isolate', reason: 'larger than http.max_content_length' };
  if (status === 429 || status >= 500) {
    return retryAfterMs === null
      ? { kind: 'retry', reason }
      : { kind: 'retry', reason, afterMs: retryAfterMs };
  }
  if (status === 401 || status === 403) return { kind: 'halt', reason: `${reason}: check \`auth\`` };
  if (status === 404 || status === 405) return { kind: 'halt', reason: `${reason}: check \`url\`` };
  if (status < 400)
    return { kind: 'halt', reason: `${reason}: name the address that it leads to with \`url\`` };
  return { kind: 'isolate', reason };
}

function all(count: number, outcome: Outcome): Outcome[] {
  return Array.from({ length: count }, () => outcome);
}

function itemsIn(body: string): readonly z.infer<typeof item>[] | null {
  try {
    return answer.safeParse(JSON.parse(body)).data?.items ?? null;
  } catch {
    // What is no JSON has no items.
    return null;
  }
}
