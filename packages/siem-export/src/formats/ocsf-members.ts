import { assertNever } from '@tachograph/wire';
import { entityObject, resourcesOf, targetOf, userObject } from './ocsf-objects.ts';
import { textIn, type Reading } from './reading.ts';

/** The members that an event's class has beyond those of all classes. */
export function classMembers(reading: Reading): { readonly [member: string]: unknown } {
  const type = reading.mapping.ocsf.class;
  switch (type) {
    case 'baseEvent':
      return {};
    case 'eventLogActivity':
      return { log_name: reading.log, log_type_id: 2, log_type: 'Application' };
    case 'detectionFinding':
      return findingMembers(reading);
    case 'accountChange':
      return { user: targetOf(reading, 'user') };
    case 'authentication':
      return authenticationMembers(reading);
    case 'entityManagement':
      return { entity: entityObject(reading) };
    case 'userAccessManagement':
      return accessMembers(reading);
    case 'groupManagement':
      return { group: targetOf(reading, 'group') };
    case 'webResourcesActivity':
      return { web_resources: resourcesOf(reading) };
    default:
      return assertNever(type);
  }
}

/** The same finding has the same `uid` whoever reports it: ids of what is detected are made of the facts. */
function findingMembers(reading: Reading) {
  const { event, mapping, severity, times } = reading;
  return {
    finding_info: {
      uid: event.id,
      title: mapping.title,
      types: [event.action],
      created_time: Date.parse(times.occurred),
    },
    is_alert: severity === 'high' || severity === 'critical',
    resources: reading.targets.length === 0 ? undefined : resourcesOf(reading),
  };
}

function authenticationMembers(reading: Reading) {
  const { event } = reading;
  return {
    user: userObject(event.actor),
    service: { name: event.app?.name ?? 'Unknown', version: event.app?.version },
    status_code: textIn(reading, 'category'),
    status_detail: textIn(reading, 'details'),
  };
}

/** The schema wants the privileges to be named; where the event does not, there is one of this name. */
function accessMembers(reading: Reading) {
  return {
    user: targetOf(reading, 'user'),
    privileges: [textIn(reading, 'auxInfo') ?? 'access'],
    resources: resourcesOf(reading, ['user']),
  };
}
