import { HEADER } from '@tachograph/event-log';
import { cefLine, type CefExtension } from './cef-syntax.ts';
import { clientIpOf } from './client-ip.ts';
import type { Format, Formatted } from './format.ts';
import { OCSF_CLASSES } from './ocsf-classes.ts';
import { indexOf, readEvent, type Reading } from './reading.ts';
import { SEVERITY_NUMBERS } from './severity.ts';
import { tachographFields } from './tachograph-fields.ts';

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

function extensionOf(reading: Reading): CefExtension {
  const { event, mapping, device } = reading;
  return {
    ...timesOf(reading),
    externalId: externalIdOf(reading),
    cat: OCSF_CLASSES[mapping.ocsf.class].caption,
    outcome: event.outcome,
    deviceExternalId: device,
    suid: event.actor.id,
    suser: event.actor.email ?? event.actor.name,
    sourceServiceName: event.app?.name,
    ...targetsOf(reading),
    ...addressOf(reading),
    ...labelled(reading),
  };
}

/**
 * An event takes no time: it starts and ends when it occurred. Custom dates are milliseconds since the epoch, the
 * one spelling of CEF that needs no time zone.
 */
function timesOf({ times }: Reading): CefExtension {
  const occurred = Date.parse(times.occurred);
  return {
    rt: occurred,
    start: occurred,
    end: occurred,
    ...(times.received === undefined
      ? {}
      : { deviceCustomDate1: Date.parse(times.received), deviceCustomDate1Label: 'received' }),
    deviceCustomDate2: Date.parse(times.exported),
    deviceCustomDate2Label: 'exported',
  };
}

/** CEF keeps 40 characters: the index and the part of the leaf hash. The device is `deviceExternalId`. */
function externalIdOf({ id }: Reading): string {
  return id.slice(id.indexOf('/') + 1);
}

/** The first user, and the first of anything else; the others are in `cs6`. */
function targetsOf({ event: { targets = [] } }: Reading): CefExtension {
  const user = targets.find(({ type }) => type === 'user');
  const other = targets.find(({ type }) => type !== 'user');
  return {
    duid: user?.id,
    duser: user?.name,
    fileType: other?.type,
    fileId: other?.id,
    fname: other?.name,
  };
}

/** Version 0 has a key of its own for an address of IPv6. */
function addressOf(reading: Reading): CefExtension {
  const ip = clientIpOf(reading);
  if (ip === undefined) return {};
  return ip.version === 4 ? { src: ip.text } : { c6a2: ip.text, c6a2Label: 'Source IPv6 Address' };
}

function labelled(reading: Reading): CefExtension {
  const { event, headers, times } = reading;
  const status = [headers[HEADER.deviceStatus], headers[HEADER.revocation]].filter(Boolean).join(' ');
  return {
    ...label('cs1', 'log', reading.log),
    ...label('cs2', 'leaf_hash', reading.leafHash),
    ...label('cs3', 'estimate', times.estimate),
    ...label('cs4', 'earliest', times.earliest),
    ...label('cs5', 'latest', times.latest),
    ...label('cs6', 'details', JSON.stringify(detailsOf(reading))),
    ...label('cn1', 'lateness_ms', times.latenessMs),
    ...label('cn2', 'sequence', indexOf(reading)),
    ...label('cn3', 'targets', event.targets?.length),
    ...label('flexString1', 'device_status', status === '' ? undefined : status),
    ...label('flexString2', 'tenant', reading.tenant),
  };
}

type Labelled = 'cs1' | 'cs2' | 'cs3' | 'cs4' | 'cs5' | 'cs6' | 'cn1' | 'cn2' | 'cn3' | `flexString${1 | 2}`;

function label(key: Labelled, name: string, value: string | number | undefined): CefExtension {
  return value === undefined ? {} : { [key]: value, [`${key}Label`]: name };
}

/** What has no key, the shortest first: a long text is cut at its end. */
function detailsOf(reading: Reading) {
  const { event } = reading;
  const { event_id, device_time, online, pending, oldest } = tachographFields(reading);
  const { session, app, targets, data } = event;
  return { event_id, device_time, online, session, pending, oldest, app, targets, data };
}
