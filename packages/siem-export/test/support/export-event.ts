import { HEADER, type RecordHeaders } from '@tachograph/event-log';
import { leafHash, type Bytes } from '@tachograph/wire';
import type { ExportEvent } from '../../src/export-event.ts';

/** An event as it comes out of the filter. */
export function exportEvent(value: Bytes, headers: RecordHeaders = {}): ExportEvent {
  return {
    headers: {
      [HEADER.contentType]: 'application/json',
      [HEADER.specVersion]: '1.0',
      [HEADER.id]: 'device/7/0123456789ab',
      [HEADER.source]: 'audit.example.com/acme/device',
      [HEADER.type]: 'item.reveal',
      [HEADER.time]: '2026-11-22T10:00:00.123Z',
      [HEADER.sequence]: '0000000000000007',
      [HEADER.recordedTime]: '2026-11-22T10:00:05.000Z',
      [HEADER.tenant]: 'acme',
      ...headers,
    },
    value,
    leafHash: leafHash(value),
    partition: 0,
    offset: 7,
  };
}
