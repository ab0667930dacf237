import { HEADER } from '@tachograph/event-log';
import { cefLine, type CefExtension } from './cef-syntax.ts';
import { clientIpOf } from './client-ip.ts';
import type { Format, Formatted } from './format.ts';
import { OCSF_CLASSES } from './ocsf-classes.ts';
import { indexOf, readEvent, type Reading } from './reading.ts';
import { SEVERITY_NUMBERS } from './severity.ts';
import { integerIn, timeIn } from './times.ts';

/**
 * ArcSight's Common Event Format. It has no place for the signed bytes: such a feed can be read, and each line
 * names the entry it comes from, but it cannot be verified by itself.
 */
export const cef: Format = {
  name: 'cef',
  format(event, context): Formatted {
    const read = readEvent(event, context);
    if (read.kind === 'unrepresentable') return read;
    const { mapping, severity, event: audit } = read.reading;
    const head = { signatureId: audit.action, name: mapping.title, severity: SEVERITY_NUMBERS[severity] };
    return { kind: 'line', text: cefLine(head, extensionOf(read.reading)) };
  },
};

/**
 * An event takes no time: it starts and ends when it occurred. Times are milliseconds since the epoch, the one
 * spelling of CEF that needs no time zone.
 */
function extensionOf(reading: Reading): CefExtension {
  const { event, targets, mapping, device, times, tenant } = reading;
  const occurred = Date.parse(times.occurred);
  const received = times.received === undefined ? undefined : Date.parse(times.received);
  const ip = clientIpOf(reading);
  // The first user, and the first of anything else; the others are in `cs6`.
  const user = targets.find(({ type }) => type === 'user');
  const other = targets.find(({ type }) => type !== 'user');
  const index = indexOf(reading);
  const status = deviceStatusOf(reading);
  return {
    rt: Date.parse(times.chosen),
    start: occurred,
    end: occurred,
    deviceCustomDate1: received,
    deviceCustomDate1Label: label(received, 'received'),
    deviceCustomDate2: Date.parse(times.exported),
    deviceCustomDate2Label: 'exported',
    externalId: externalIdOf(reading),
    cat: OCSF_CLASSES[mapping.ocsf.class].caption,
    outcome: event.outcome,
    deviceExternalId: device,
    suid: event.actor.id,
    suser: event.actor.email ?? event.actor.name,
    duid: user?.id,
    duser: user?.name,
    // Version 0 has a key of its own for an address of IPv6.
    src: ip?.version === 4 ? ip.text : undefined,
    c6a2: ip?.version === 6 ? ip.text : undefined,
    c6a2Label: ip?.version === 6 ? 'Source IPv6 Address' : undefined,
    fileType: other?.type,
    fileId: other?.id,
    fname: other?.name,
    sourceServiceName: event.app?.name,
    cs1: reading.log,
    cs1Label: 'log',
    cs2: reading.leafHash,
    cs2Label: label(reading.leafHash, 'leaf_hash'),
    cs3: times.estimate,
    cs3Label: label(times.estimate, 'estimate'),
    cs4: times.earliest,
    cs4Label: label(times.earliest, 'earliest'),
    cs5: times.latest,
    cs5Label: label(times.latest, 'latest'),
    cs6: JSON.stringify(detailsOf(reading)),
    cs6Label: 'details',
    cn1: times.latenessMs,
    cn1Label: label(times.latenessMs, 'lateness_ms'),
    cn2: index,
    cn2Label: label(index, 'sequence'),
    cn3: targets.length === 0 ? undefined : targets.length,
    cn3Label: targets.length === 0 ? undefined : 'targets',
    flexString1: status,
    flexString1Label: label(status, 'device_status'),
    flexString2: tenant,
    flexString2Label: label(tenant, 'tenant'),
  };
}

function label(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : name;
}

/** CEF keeps 40 characters: the index and the part of the leaf hash. The device is `deviceExternalId`. */
function externalIdOf({ id }: Reading): string {
  return id.slice(id.indexOf('/') + 1);
}

/** `revoked before`: the status, and of a revoked device where the event stands to its revocation. */
function deviceStatusOf({ headers }: Reading): string | undefined {
  const [status, revocation] = [headers[HEADER.deviceStatus], headers[HEADER.revocation]];
  return status === undefined || revocation === undefined ? status : `${status} ${revocation}`;
}

/** What has no key, the shortest first: a long text is cut at its end. */
function detailsOf({ event, headers }: Reading) {
  const { id, time, online, session, app, targets, data } = event;
  const pending = integerIn(headers, HEADER.pending);
  const oldest = timeIn(headers, HEADER.oldest);
  return { event_id: id, device_time: time, online, session, pending, oldest, app, targets, data };
}
