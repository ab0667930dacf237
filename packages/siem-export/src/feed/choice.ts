import { HEADER, type RecordHeaders } from '@tachograph/event-log';
import { SUBJECT_HEADER } from '../export-event.ts';
import type { Route } from '../route.ts';

/** Which events a route asks for. */
export type Choice = Pick<Route, 'tenants' | 'actions'>;

export function isChosen(headers: RecordHeaders, { tenants, actions }: Choice): boolean {
  if (tenants !== '*' && !tenants.includes(headers[HEADER.tenant] ?? '')) return false;
  // A notice is about the log itself, so a choice of actions cannot mute it.
  if (actions === undefined || SUBJECT_HEADER in headers) return true;
  return actions.includes(headers[HEADER.type] ?? '');
}
