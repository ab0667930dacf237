import { HEADER, type StoredRecord } from '@tachograph/event-log';
import { parseOrigin, utf8 } from '@tachograph/wire';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';

/** What reading the ordered log brings to light about a device's log. */
export type Finding = {
  /** Derived from the records alone: every exporter finds the same, under the same id. */
  readonly id: string;
  readonly kind: string;
  /** The log that it is about; `null` where the records do not say. */
  readonly origin: string | null;
  /** The first record that it is about. */
  readonly at: StoredRecord;
  readonly data: { readonly [name: string]: unknown };
};

/** The event that tells analysts of a finding. It has no sequence: it stands in no log. */
export function noticeOf({ id, kind, origin, at, data }: Finding): ExportEvent {
  const tenant = at.headers[HEADER.tenant] ?? at.key.split('/')[0] ?? '';
  const time = at.headers[HEADER.recordedTime];
  const event = {
    id,
    ...(time === undefined ? {} : { time }),
    action: kind,
    actor: { id: 'tachograph/export', type: 'service' },
    ...(origin === null ? {} : { targets: [{ type: 'log', id: origin }] }),
    outcome: 'unknown',
    data: { log: origin, ...data },
  };
  const headers = {
    [HEADER.id]: id,
    [HEADER.source]: sourceOf(origin, tenant),
    [HEADER.type]: kind,
    ...(time === undefined ? {} : { [HEADER.time]: time, [HEADER.recordedTime]: time }),
    [HEADER.tenant]: tenant,
    [SUBJECT_HEADER]: origin ?? at.key,
  };
  const { partition, offset } = at;
  return { headers, value: utf8(JSON.stringify(event)), leafHash: null, partition, offset };
}

/** Not the device's log: its events are numbered without gaps, and this one is not among them. */
function sourceOf(origin: string | null, tenant: string): string {
  const parsed = origin === null ? null : parseOrigin(origin);
  return parsed?.ok ? `${parsed.value.authority}/${tenant}/export` : `${tenant}/export`;
}
