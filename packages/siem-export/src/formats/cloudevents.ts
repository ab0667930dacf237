import { HEADER, type RecordHeaders } from '@tachograph/event-log';
import { assertNever, toBase64, type Bytes } from '@tachograph/wire';
import { SUBJECT_HEADER } from '../export-event.ts';
import { contentOf, type Content } from './content.ts';
import type { Format, FormatContext, Formatted } from './format.ts';
import { hex } from './hex.ts';
import { chosenTime } from './times.ts';

/**
 * The headers that become attributes, in the order in which they are written. Extension names hold only a-z and
 * 0-9 (CloudEvents 1.0.2, "Naming Conventions"); all are of its type String. Other headers stay behind.
 */
export const ATTRIBUTES: readonly (readonly [header: string, attribute: string])[] = [
  [SUBJECT_HEADER, 'subject'],
  [HEADER.tenant, 'tenant'],
  [HEADER.sequence, 'sequence'],
  [HEADER.recordedTime, 'recordedtime'],
  [HEADER.earliest, 'earliest'],
  [HEADER.latest, 'latest'],
  [HEADER.estimate, 'estimate'],
  [HEADER.lateness, 'lateness'],
  [HEADER.deviceStatus, 'devicestatus'],
  [HEADER.revocation, 'revocation'],
  [HEADER.rejected, 'rejected'],
  [HEADER.pending, 'pending'],
  [HEADER.oldest, 'oldest'],
  [HEADER.traceparent, 'traceparent'],
  // The device's tree before this append, so that what follows a damaged line can still be checked.
  [HEADER.edge, 'edge'],
  // The device's signature over everything up to here: with it an exported file can be verified by itself.
  [HEADER.checkpoint, 'checkpoint'],
];

/**
 * CloudEvents 1.0 in structured JSON. `data` is the leaf's exact bytes, spliced in and never serialised anew, so
 * that signatures can be checked on the export; `data_base64` where they are not JSON on one line.
 */
export const cloudevents: Format = {
  name: 'cloudevents',
  format(event, context): Formatted {
    const { headers } = event;
    const [id, source, type] = [headers[HEADER.id], headers[HEADER.source], headers[HEADER.type]];
    if (!id || !source || !type) {
      return { kind: 'unrepresentable', reason: 'the record has no id, source or type' };
    }
    const content = contentOf(event);
    let text = `{"specversion":"1.0","id":${quoted(id)},"source":${quoted(source)},"type":${quoted(type)}`;
    text += timeMembers(headers, context);
    for (const [header, attribute] of ATTRIBUTES) {
      const value = headers[header];
      if (value !== undefined) text += `,"${attribute}":${quoted(value)}`;
    }
    text += `,"exportedtime":${quoted(context.exportedTime)}`;
    if (event.leafHash !== null) text += `,"leafhash":"${hex(event.leafHash)}"`;
    return { kind: 'line', text: `${text}${dataMembers(event.value, content)}}` };
  },
};

/** `time` as the route wants it. Where that is not when it occurred, `occurredtime` is. */
function timeMembers(headers: RecordHeaders, context: FormatContext): string {
  const occurred = headers[HEADER.time];
  const { timePolicy = 'occurred' } = context;
  if (timePolicy === 'occurred') return occurred === undefined ? '' : `,"time":${quoted(occurred)}`;
  const time = chosenTime(headers, context);
  const moved = occurred === undefined || occurred === time ? '' : `,"occurredtime":${quoted(occurred)}`;
  return `,"time":${quoted(time)}${moved}`;
}

function dataMembers(value: Bytes, content: Content): string {
  switch (content.kind) {
    case 'json':
      return `,"datacontenttype":"application/json","data":${content.text}`;
    case 'json-with-cr':
      return `,"datacontenttype":"application/json","data_base64":"${toBase64(value)}"`;
    case 'bytes':
      return `,"datacontenttype":"application/octet-stream","data_base64":"${toBase64(value)}"`;
    default:
      return assertNever(content);
  }
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** A JSON string. Nearly all values are plain ASCII, for which looking is cheaper than writing anew. */
function quoted(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
}
