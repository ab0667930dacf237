import type { Outcome, TENANT_LOG_ACTIONS } from '@tachograph/wire';
import { CATALOGUE, type CatalogueAction } from '@tachograph/wire/schema';
import type { OcsfClassName } from './ocsf-classes.ts';
import type { Severity } from './severity.ts';

type ServerAction = (typeof TENANT_LOG_ACTIONS)[number];
type KnownAction = CatalogueAction | ServerAction;

/** What an action is in each schema that analysts use: one row for each action that we know. */
export type ActionMapping = {
  readonly title: string;
  readonly severity: Severity;
  /** The class, and the caption of the activity; one that the class does not have becomes `Other` under this name. */
  readonly ocsf: { readonly class: OcsfClassName; readonly activity: string };
  /** From ECS's closed sets. Only a detection is an `alert`. */
  readonly ecs: {
    readonly kind: 'event' | 'alert';
    readonly category: readonly string[];
    readonly type: readonly string[];
  };
};

type Row = Omit<ActionMapping, 'title'>;

function item(activity: string, type: string, severity: Severity = 'informational'): Row {
  return {
    severity,
    ocsf: { class: 'webResourcesActivity', activity },
    ecs: { kind: 'event', category: ['file'], type: [type] },
  };
}
function account(activity: string, type: string, severity: Severity = 'informational'): Row {
  return {
    severity,
    ocsf: { class: 'accountChange', activity },
    ecs: { kind: 'event', category: ['iam'], type: ['user', type] },
  };
}
function group(activity: string, type: string): Row {
  return {
    severity: 'informational',
    ocsf: { class: 'groupManagement', activity },
    ecs: { kind: 'event', category: ['iam'], type: ['group', type] },
  };
}
function access(activity: string): Row {
  return {
    severity: 'informational',
    ocsf: { class: 'userAccessManagement', activity },
    ecs: { kind: 'event', category: ['iam'], type: ['user', 'change'] },
  };
}
function entity(activity: string, category: string, type: string, severity: Severity = 'informational'): Row {
  return {
    severity,
    ocsf: { class: 'entityManagement', activity },
    ecs: { kind: 'event', category: [category], type: [type] },
  };
}
function log(activity: string, type: string, severity: Severity = 'informational'): Row {
  return {
    severity,
    ocsf: { class: 'eventLogActivity', activity },
    ecs: { kind: 'event', category: ['host'], type: [type] },
  };
}
function finding(severity: Severity, category: 'intrusion_detection' | 'host'): Row {
  return {
    severity,
    ocsf: { class: 'detectionFinding', activity: 'Create' },
    ecs: { kind: 'alert', category: [category], type: ['info'] },
  };
}

const ROWS: { readonly [Action in KnownAction]: Row } = {
  'signin.attempt': {
    severity: 'informational',
    ocsf: { class: 'authentication', activity: 'Logon' },
    ecs: { kind: 'event', category: ['authentication'], type: ['start'] },
  },
  'item.fill': item('Read', 'access'),
  'item.reveal': item('Read', 'access'),
  'item.copy': item('Read', 'access'),
  // Opening an item in the editor shows it; what was changed there is `item.update`.
  'item.edit': item('Read', 'access'),
  'item.share': item('Share', 'access', 'low'),
  'item.export': item('Export', 'access', 'medium'),
  'item.create': item('Create', 'creation'),
  'item.update': item('Update', 'change'),
  'item.fetch': item('Read', 'access'),
  'item.sso': item('Choose sign-in provider', 'access'),
  'user.create': account('Create', 'creation'),
  'user.suspend': account('Disable', 'change'),
  'user.reactivate': account('Enable', 'change'),
  'user.delete': account('Delete', 'deletion'),
  'group.create': group('Create', 'creation'),
  'group.update': group('Update', 'change'),
  'group.delete': group('Delete', 'deletion'),
  'vault.grant': access('Assign Privileges'),
  'vault.revoke': access('Revoke Privileges'),
  'log.opened': log('Start', 'start'),
  'log.closed': log('Stop', 'end'),
  'buffer.gap': finding('medium', 'host'),
  'clock.stepped': finding('low', 'host'),
  'lease.expired': entity('Lease ended', 'host', 'info'),
  'cache.inventory': entity('Inventory', 'host', 'info'),
  'cache.purge_started': entity('Purge started', 'host', 'change'),
  'cache.purged': entity('Purged', 'host', 'change'),
  'cache.purge_failed': entity('Purge failed', 'host', 'change', 'medium'),
  'tenant.created': entity('Create', 'configuration', 'creation'),
  'tenant.policy_changed': entity('Update', 'configuration', 'change', 'low'),
  'tenant.revoked': entity('Disable', 'configuration', 'change', 'medium'),
  'subject.revoked': account('Disable', 'change', 'low'),
  'enrolment_token.created': entity('Create', 'configuration', 'creation'),
  'device.enrolled': entity('Enroll', 'host', 'change'),
  'device.enrolment_refused': entity('Enroll', 'host', 'change', 'low'),
  'device.enrolment_requested': entity('Enrolment requested', 'host', 'info'),
  'device.approved': entity('Activate', 'host', 'change'),
  'device.revoked': entity('Unenroll', 'host', 'change', 'low'),
  'device.restored': entity('Restored', 'host', 'change', 'low'),
  'device.dark': finding('medium', 'host'),
  'lease.decided': entity('Lease decided', 'host', 'info'),
  'device.returned': entity('Resume', 'host', 'info'),
  'purge.ordered': entity('Purge ordered', 'host', 'change', 'low'),
  'purge.confirmed': entity('Purge confirmed', 'host', 'change'),
  'log.forked': finding('high', 'intrusion_detection'),
  'log.gap': finding('high', 'intrusion_detection'),
  'log.invalid': finding('high', 'intrusion_detection'),
  'log.erased': log('Delete', 'change', 'low'),
  'server.lost': finding('high', 'host'),
};

const SERVER_TITLES: { readonly [Action in ServerAction]: string } = {
  'tenant.created': 'A tenant was created',
  'tenant.policy_changed': 'The policy of a tenant was changed',
  'tenant.revoked': 'A tenant was revoked',
  'subject.revoked': 'A person was revoked',
  'enrolment_token.created': 'An enrolment token was created',
  'device.enrolled': 'A device was enrolled',
  'device.enrolment_refused': 'The enrolment of a device was refused',
  'device.enrolment_requested': 'The enrolment of a device waits for approval',
  'device.approved': 'A device was approved',
  'device.revoked': 'A device was revoked',
  'device.restored': 'A device brought back what the server had lost',
  'device.dark': 'A device is silent beyond its habit or its lease',
  'lease.decided': 'The lease of a device was decided anew',
  'device.returned': 'A device returned with events that waited',
  'purge.ordered': 'The destruction of an offline cache was ordered',
  'purge.confirmed': 'The destruction of an offline cache was confirmed',
  'log.forked': 'The log of a device has two contradicting histories',
  'log.gap': 'Entries of a log are missing',
  'log.invalid': 'Records were found that the server cannot have written',
  'log.erased': 'Entries of a log were erased by retention',
  'server.lost': 'The server had lost entries that it had acknowledged',
};

/** Each action that is ours or in the catalogue, with what it becomes. */
export const ACTION_MAPPINGS: ReadonlyMap<string, ActionMapping> = new Map(
  Object.entries(ROWS).map(([action, row]) => [action, { title: titleOf(action as KnownAction), ...row }]),
);

function titleOf(action: KnownAction): string {
  return action in SERVER_TITLES
    ? SERVER_TITLES[action as ServerAction]
    : CATALOGUE[action as CatalogueAction].title;
}

/**
 * What an action of an app's own becomes: no class of OCSF and no category of ECS can be claimed for it, so it is
 * OCSF's base event, an `info` of ECS, and keeps its own name as activity and title.
 */
function unknownAction(action: string): ActionMapping {
  return {
    title: action,
    severity: 'informational',
    ocsf: { class: 'baseEvent', activity: action },
    ecs: { kind: 'event', category: [], type: ['info'] },
  };
}

export function mappingOf(action: string): ActionMapping {
  return ACTION_MAPPINGS.get(action) ?? unknownAction(action);
}

/** What failed is never only informational: an analyst sorts by it. */
export function severityOf({
  action,
  outcome,
}: {
  readonly action: string;
  readonly outcome: Outcome;
}): Severity {
  const { severity } = mappingOf(action);
  return severity === 'informational' && outcome === 'failure' ? 'low' : severity;
}
