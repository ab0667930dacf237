import { assertNever, type Outcome } from '@tachograph/wire';
import { clientIpOf } from './client-ip.ts';
import type { Format, Formatted } from './format.ts';
import { jsonLine } from './hidden.ts';
import { activityUid, OCSF_CLASSES, OCSF_PROFILES, OCSF_VERSION, type OcsfClass } from './ocsf-classes.ts';
import { classMembers } from './ocsf-members.ts';
import { deviceObject, userObject } from './ocsf-objects.ts';
import { indexOf, readEvent, traceOf, type Reading } from './reading.ts';
import type { Severity } from './severity.ts';
import { tachographFields } from './tachograph-fields.ts';

/**
 * The Open Cybersecurity Schema Framework: each action in the class that it belongs to, one JSON object a line.
 * `raw_data` is the leaf as it was signed, so that the feed can be verified from what the destination holds.
 */
export const ocsf: Format = {
  name: 'ocsf',
  format(event, context): Formatted {
    const read = readEvent(event, context);
    if (read.kind === 'unrepresentable') return read;
    return { kind: 'line', text: jsonLine(ocsfEvent(read.reading)) };
  },
};

/** Members that are `undefined` do not appear in the line. */
function ocsfEvent(reading: Reading) {
  const { event, mapping, severity, times, text, bytes, leafHash } = reading;
  const type: OcsfClass = OCSF_CLASSES[mapping.ocsf.class];
  const activity = activityUid(type, mapping.ocsf.activity);
  const { id, caption } = SEVERITIES[severity];
  return {
    class_uid: type.uid,
    class_name: type.caption,
    category_uid: type.categoryUid,
    category_name: type.category,
    activity_id: activity,
    activity_name: mapping.ocsf.activity,
    type_uid: type.uid * 100 + activity,
    type_name: `${type.caption}: ${mapping.ocsf.activity}`,
    time: Date.parse(times.chosen),
    severity_id: id,
    severity: caption,
    ...statusOf(type.uid, event.outcome),
    message: mapping.title,
    metadata: metadataOf(reading),
    actor: {
      user: userObject(event.actor),
      session: event.session === undefined ? undefined : { uid: event.session },
      app_name: event.app?.name,
    },
    device: deviceObject(reading),
    ...endpointOf(type.uid, reading),
    ...classMembers(reading),
    raw_data: text,
    raw_data_size: bytes,
    raw_data_hash: leafHash === undefined ? undefined : { ...LEAF_HASH, value: leafHash },
    unmapped: { tachograph: tachographFields(reading), event: unmappedOf(reading) },
  };
}

/** RFC 6962 section 2.1: a leaf's hash is that of a zero byte and the bytes. `Other` among OCSF's algorithms. */
const LEAF_HASH = { algorithm_id: 99, algorithm: 'SHA-256 of 0x00 and the raw data (RFC 6962)' };

const SEVERITIES: { readonly [Name in Severity]: { readonly id: number; readonly caption: string } } = {
  informational: { id: 1, caption: 'Informational' },
  low: { id: 2, caption: 'Low' },
  medium: { id: 3, caption: 'Medium' },
  high: { id: 4, caption: 'High' },
  critical: { id: 5, caption: 'Critical' },
};

function metadataOf(reading: Reading) {
  const { id, event, tenant, log, times } = reading;
  return {
    version: OCSF_VERSION,
    profiles: OCSF_PROFILES,
    product: { name: 'Tachograph', vendor_name: 'Tachograph' },
    uid: id,
    original_event_uid: event.id,
    event_code: event.action,
    tenant_uid: tenant,
    sequence: indexOf(reading),
    log_name: log,
    original_time: event.time,
    logged_time: times.received === undefined ? undefined : Date.parse(times.received),
    processed_time: Date.parse(times.exported),
    correlation_uid: traceOf(reading)?.trace,
  };
}

/** The status of a finding is where its handling stands; that of an activity is how it ended. */
function statusOf(classUid: number, outcome: Outcome): { status_id: number; status: string } {
  if (classUid === OCSF_CLASSES.detectionFinding.uid) return { status_id: 1, status: 'New' };
  switch (outcome) {
    case 'success':
      return { status_id: 1, status: 'Success' };
    case 'failure':
      return { status_id: 2, status: 'Failure' };
    case 'unknown':
      return { status_id: 0, status: 'Unknown' };
    default:
      return assertNever(outcome);
  }
}

const WITHOUT_ENDPOINT: ReadonlySet<number> = new Set([
  OCSF_CLASSES.baseEvent.uid,
  OCSF_CLASSES.detectionFinding.uid,
]);

function endpointOf(classUid: number, reading: Reading) {
  const ip = clientIpOf(reading);
  return ip === undefined || WITHOUT_ENDPOINT.has(classUid) ? {} : { src_endpoint: { ip: ip.text } };
}

/** What the event says beyond the members above, those that we do not know included. */
function unmappedOf({ event }: Reading) {
  const { id: _id, time: _time, action: _action, session: _session, ...rest } = event;
  return rest;
}
