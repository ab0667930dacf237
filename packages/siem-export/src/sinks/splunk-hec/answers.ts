import { z } from 'zod';
import type { Outcome } from '../sink.ts';

/** What an HTTP Event Collector answered to a batch. */
export type HecAnswer = {
  readonly status: number;
  readonly retryAfterMs: number | null;
  readonly body: string;
};

const answer = z.object({
  text: z.string().optional(),
  code: z.int().optional(),
  ackId: z.int().optional(),
});

type Meaning = 'retry' | 'isolate' | 'halt';
type Row = readonly [meaning: Meaning, mend: string];

/** The codes of "Troubleshoot HTTP Event Collector", Splunk Enterprise 9, by what they mean for a batch. */
const CODES: Readonly<Record<number, Row>> = {
  1: ['halt', 'the token is disabled: enable it in Splunk'],
  2: ['halt', 'the collector wants a token: name it with `token`'],
  3: ['halt', 'the token is malformed: check the place that `token` names'],
  4: ['halt', 'the token is not known: check the place that `token` names'],
  5: ['isolate', 'no data'],
  6: ['isolate', 'the data is malformed'],
  7: ['halt', 'the token may not write to this index: change `index`, or the indexes of the token'],
  8: ['retry', 'internal error'],
  9: ['retry', 'the collector is busy'],
  10: ['halt', 'the token wants a channel: set `acknowledge: true`'],
  11: ['halt', 'the channel is malformed'],
  12: ['isolate', 'the event is missing'],
  13: ['isolate', 'the event is blank'],
  14: ['halt', 'the token gives no acknowledgements: enable them, or set `acknowledge: false`'],
  15: ['isolate', 'the indexed fields are malformed'],
  16: ['halt', 'tokens in the query string are not enabled'],
};

const WRONG_INDEX = 7;

/** A text of the destination, short and without what would drive a terminal. */
function said(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').slice(0, 200);
}

/** The acknowledgement to wait for; `null` where the collector gave none. Pure. */
export function ackIdOf({ body }: HecAnswer): number | null {
  return parse(body)?.ackId ?? null;
}

/** What an answer means for each event of the batch. `indexVaries`: they may be for several indexes. Pure. */
export function outcomeOf({ status, retryAfterMs, body }: HecAnswer, indexVaries: boolean): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const { code, text } = parse(body) ?? {};
  const answered = `answered ${status}${code === undefined ? '' : `, code ${code}`}`;
  const row = code === undefined ? undefined : CODES[code];
  const [written, mend] = row ?? byStatus(status);
  // An index for each tenant may be wrong for one of them: the others go on.
  const meaning = code === WRONG_INDEX && indexVaries ? 'isolate' : written;
  const reason = said(`${answered}: ${mend}${text === undefined ? '' : ` (${text})`}`);
  if (meaning !== 'retry') return { kind: meaning, reason };
  return retryAfterMs === null ? { kind: 'retry', reason } : { kind: 'retry', reason, afterMs: retryAfterMs };
}

/** Newer codes than the table's, and proxies in between, are told by their status. */
function byStatus(status: number): Row {
  if (status === 413) return ['isolate', 'larger than the collector takes'];
  if (status === 401 || status === 403)
    return ['halt', 'the token is refused: check the place that `token` names'];
  if (status === 404 || status === 405) return ['halt', 'there is no collector at this address: check `url`'];
  if (status >= 300 && status < 400)
    return ['halt', 'it is elsewhere: name the address that it leads to with `url`'];
  if (status === 429 || status >= 500) return ['retry', 'it cannot take events now'];
  return ['isolate', 'it refuses the batch'];
}

function parse(body: string): z.infer<typeof answer> | null {
  try {
    return answer.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    // A proxy answers with a page: its status says enough.
    return null;
  }
}
