import { deterministicEventId, HEADER } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';

const ACTION = 'export.test';

/**
 * An event that says of itself that it is a test: it stands in no log, nothing happened, and each one has an id of
 * its own.
 */
export function testEvent(route: string, tenant: string, timeMs: number): ExportEvent {
  const time = new Date(timeMs).toISOString();
  const id = deterministicEventId(ACTION, route, tenant, timeMs);
  const event = {
    id,
    time,
    action: ACTION,
    actor: { id: 'tachograph/export', type: 'service' },
    outcome: 'success',
    data: { test: true, route, message: 'A test of the way to this destination. Nothing happened.' },
  };
  const headers = {
    [HEADER.id]: id,
    [HEADER.source]: `${tenant}/export`,
    [HEADER.type]: ACTION,
    [HEADER.time]: time,
    [HEADER.recordedTime]: time,
    [HEADER.tenant]: tenant,
    [SUBJECT_HEADER]: `route/${route}`,
  };
  return { headers, value: utf8(JSON.stringify(event)), leafHash: null, partition: 0, offset: 0 };
}
