import { HEADER } from '@tachograph/event-log';
import { fromBase64, utf8, type Bytes } from '@tachograph/wire';
import { z } from 'zod';
import { SUBJECT_HEADER } from '../../export-event.ts';
import type { FeedItem } from '../feed-entry.ts';

/** A line is no longer than an event of 32 KiB in the widest format. */
export const LINE_BYTES_MAX = 512 * 1024;

const DATA = ',"datacontenttype":"application/json","data":';
const DATA_BASE64 = /,"datacontenttype":"[^"]*","data_base64":"([^"]*)"\}$/;

const cloudevent = z.object({
  specversion: z.string(),
  source: z.string(),
  type: z.string(),
  sequence: z.string().optional(),
  leafhash: z.string().optional(),
  subject: z.string().optional(),
  edge: z.string().optional(),
  checkpoint: z.string().optional(),
});

const tachograph = z.object({
  log: z.string(),
  sequence: z.int().nonnegative().optional(),
  leaf_hash: z.string().optional(),
  edge: z.string().optional(),
  checkpoint: z.string().optional(),
});
const ecs = z.object({ event: z.object({ action: z.string(), original: z.string() }), tachograph });
const ocsf = z.object({ raw_data: z.string(), unmapped: z.object({ tachograph }) });
const letter = z.object({
  refusedBy: z.string(),
  headers: z.record(z.string(), z.string()),
  data_base64: z.string(),
});

/**
 * Reads one line of an exported file: `cloudevents`, `ecs`, `ocsf`, or a dead letter, which has the entries that a
 * format has no place for. The bytes of an entry are those of the line, never serialised anew. Pure.
 */
export function readLine(line: string, place: string): FeedItem {
  if (line.startsWith('{"specversion":')) return readCloudEvent(line, place);
  const value = parseJson(line);
  const asEcs = ecs.safeParse(value);
  if (asEcs.success) {
    const { event, tachograph: own } = asEcs.data;
    return mapped(own, event.original, event.action, place);
  }
  const asOcsf = ocsf.safeParse(value);
  if (asOcsf.success) {
    const { raw_data: text, unmapped } = asOcsf.data;
    return mapped(unmapped.tachograph, text, actionIn(text), place);
  }
  const asLetter = letter.safeParse(value);
  if (asLetter.success) return readLetter(asLetter.data, place);
  const reason = value === undefined ? 'it is not JSON' : 'it is in none of the formats that can be verified';
  return { kind: 'unreadable', reason, place };
}

function readCloudEvent(line: string, place: string): FeedItem {
  // Quotes inside a value are escaped: the first place that looks like this member is this member.
  const at = line.indexOf(DATA);
  const encoded = at < 0 ? DATA_BASE64.exec(line) : null;
  const head = at >= 0 ? line.slice(0, at) : line.slice(0, encoded?.index ?? 0);
  const parsed = cloudevent.safeParse(parseJson(`${head}}`));
  if (!parsed.success) return { kind: 'unreadable', reason: 'its attributes are damaged', place };
  const { source, type, sequence, leafhash, subject, edge, checkpoint } = parsed.data;
  if (sequence === undefined) return { kind: 'notice', action: type, origin: subject ?? null, place };
  const index = Number(sequence);
  if (!/^\d{16}$/.test(sequence) || !Number.isSafeInteger(index)) {
    return { kind: 'unreadable', reason: 'its sequence is damaged', place };
  }
  const leaf = at >= 0 ? utf8(line.slice(at + DATA.length, -1)) : fromBase64(encoded?.[1] ?? '!');
  return {
    kind: 'entry',
    entry: {
      origin: source,
      index,
      leaf: line.endsWith('}') ? leaf : null,
      claimedHash: hashIn(leafhash),
      edge: edge ?? null,
      checkpoint: checkpoint ?? null,
      action: type,
      place,
    },
  };
}

function mapped(
  { log, sequence, leaf_hash: hash, edge, checkpoint }: z.infer<typeof tachograph>,
  text: string,
  action: string,
  place: string,
): FeedItem {
  if (sequence === undefined) return { kind: 'notice', action, origin: log, place };
  return {
    kind: 'entry',
    entry: {
      origin: log,
      index: sequence,
      leaf: utf8(text),
      claimedHash: hashIn(hash),
      edge: edge ?? null,
      checkpoint: checkpoint ?? null,
      action,
      place,
    },
  };
}

function readLetter({ headers, data_base64: data }: z.infer<typeof letter>, place: string): FeedItem {
  const action = headers[HEADER.type] ?? '';
  const [origin, sequence] = [headers[HEADER.source], headers[HEADER.sequence]];
  if (SUBJECT_HEADER in headers || origin === undefined || sequence === undefined) {
    return { kind: 'notice', action, origin: headers[SUBJECT_HEADER] ?? null, place };
  }
  return {
    kind: 'spare',
    entry: {
      origin,
      index: Number(sequence),
      leaf: fromBase64(data),
      claimedHash: null,
      edge: headers[HEADER.edge] ?? null,
      checkpoint: headers[HEADER.checkpoint] ?? null,
      action,
      place,
    },
  };
}

function hashIn(text: string | undefined): Bytes | null {
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : null;
}

/** The action of an event that is told by its bytes alone. */
function actionIn(text: string): string {
  const parsed = z.object({ action: z.string() }).safeParse(parseJson(text));
  return parsed.success ? parsed.data.action : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The one way `parse` fails is the input: the caller says so.
    return undefined;
  }
}
