import { HEADER } from '@tachograph/event-log';
import { assertNever, concatBytes, utf8, type Bytes } from '@tachograph/wire';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';
import { contentOf, type Content } from './content.ts';
import type { Format, Formatted } from './format.ts';

/**
 * The headers that become attributes, in the order in which they are written. Extension names hold only a-z and
 * 0-9 (CloudEvents 1.0.2, "Naming Conventions"); all are of its type String. Other headers stay behind.
 */
export const ATTRIBUTES: readonly (readonly [header: string, attribute: string])[] = [
  [HEADER.time, 'time'],
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
  // The device's signature over everything up to here: with it an exported file can be verified by itself.
  [HEADER.checkpoint, 'checkpoint'],
];

/**
 * CloudEvents 1.0 in structured JSON. `data` is the leaf's exact bytes, spliced in and never serialised anew, so
 * that signatures can be checked on the export; `data_base64` where they are not JSON on one line.
 */
export const cloudevents: Format = {
  name: 'cloudevents',
  format(event, { exportedTime }): Formatted {
    const { headers } = event;
    const [id, source, type] = [headers[HEADER.id], headers[HEADER.source], headers[HEADER.type]];
    if (!id || !source || !type) {
      return { kind: 'unrepresentable', reason: 'the record has no id, source or type' };
    }
    const content = contentOf(event);
    const parts = [
      `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${JSON.stringify(source)}`,
      `,"type":${JSON.stringify(type)}`,
    ];
    for (const [header, attribute] of ATTRIBUTES) {
      const value = headers[header];
      if (value !== undefined) parts.push(`,"${attribute}":${JSON.stringify(value)}`);
    }
    parts.push(`,"exportedtime":${JSON.stringify(exportedTime)}`);
    if (event.leafHash !== null) parts.push(`,"leafhash":"${encoded(event.leafHash, 'hex')}"`);
    return { kind: 'line', bytes: withData(parts.join(''), event, content) };
  },
};

function withData(attributes: string, event: ExportEvent, content: Content): Bytes {
  switch (content.kind) {
    case 'json':
      return concatBytes(
        utf8(`${attributes},"datacontenttype":"application/json","data":`),
        event.value,
        END,
      );
    case 'json-with-cr':
      return utf8(`${attributes},"datacontenttype":"application/json",${base64Member(event.value)}}`);
    case 'bytes':
      return utf8(`${attributes},"datacontenttype":"application/octet-stream",${base64Member(event.value)}}`);
    default:
      return assertNever(content);
  }
}

const END = utf8('}');

function base64Member(bytes: Bytes): string {
  return `"data_base64":"${encoded(bytes, 'base64')}"`;
}

function encoded(bytes: Bytes, encoding: 'hex' | 'base64'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}
