import { HEADER, type LogAlarm } from '@tachograph/event-log';
import { assertNever, parseOrigin, toBase64, utf8 } from '@tachograph/wire';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';

/**
 * The event that tells analysts what the log-order filter found. It is made of the records alone, so every exporter
 * makes the same one, and whoever reports a fork gives it the same id. It has no sequence: it stands in no log.
 */
export function alarmEvent(alarm: LogAlarm): ExportEvent {
  const { at, id, kind, origin } = alarm;
  const tenant = at.headers[HEADER.tenant] ?? at.key.split('/')[0] ?? '';
  const time = at.headers[HEADER.recordedTime];
  const event = {
    id,
    ...(time === undefined ? {} : { time }),
    action: kind,
    actor: { id: 'tachograph/export', type: 'service' },
    ...(origin === null ? {} : { targets: [{ type: 'log', id: origin }] }),
    outcome: 'unknown',
    data: { log: origin, ...detailsOf(alarm) },
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

function detailsOf(alarm: LogAlarm): { readonly [name: string]: unknown } {
  switch (alarm.kind) {
    case 'log.gap':
      return alarm.indices;
    case 'log.forked':
      return { ...alarm.indices, root: toBase64(alarm.root), checkpoint: alarm.checkpoint };
    case 'log.invalid':
      return {
        reason: alarm.reason,
        records: alarm.records,
        partition: alarm.at.partition,
        offset: alarm.at.offset,
      };
    default:
      return assertNever(alarm);
  }
}
