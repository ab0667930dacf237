import type { Target } from '@tachograph/wire';
import { clientIpOf } from './client-ip.ts';
import { ECS_VERSION } from './ecs-fields.ts';
import type { Format, Formatted } from './format.ts';
import { jsonLine } from './hidden.ts';
import { indexOf, readEvent, textIn, traceOf, type Reading } from './reading.ts';
import { SEVERITY_NUMBERS } from './severity.ts';
import { tachographFields } from './tachograph-fields.ts';

/**
 * The Elastic Common Schema, for Elasticsearch and OpenSearch: one JSON object a line. `event.original` is the leaf
 * as it was signed and `event.hash` its leaf hash, so that an index can be verified from what it holds.
 */
export const ecs: Format = {
  name: 'ecs',
  format(event, context): Formatted {
    const read = readEvent(event, context);
    if (read.kind === 'unrepresentable') return read;
    return { kind: 'line', text: jsonLine(ecsEvent(read.reading)) };
  },
};

/** Members that are `undefined` do not appear in the line. */
function ecsEvent(reading: Reading) {
  const { event, targets, mapping, tenant, times } = reading;
  const trace = traceOf(reading);
  const client = clientFields(reading);
  return {
    '@timestamp': times.chosen,
    ecs: { version: ECS_VERSION },
    message: mapping.title,
    event: eventFields(reading),
    organization: tenant === undefined ? undefined : { id: tenant },
    user: userFields(reading),
    group: firstTarget(targets, 'group'),
    ...deviceFields(reading),
    client,
    source: client,
    service: event.app === undefined ? undefined : { name: event.app.name, version: event.app.version },
    related: relatedFields(reading, client?.ip),
    trace: trace === undefined ? undefined : { id: trace.trace },
    span: trace === undefined ? undefined : { id: trace.span },
    tachograph: {
      ...tachographFields(reading),
      actor: event.actor.type === undefined ? undefined : { type: event.actor.type },
      targets: targets.length === 0 ? undefined : targets.map(({ type, id, name }) => ({ type, id, name })),
      data: event.data === undefined ? undefined : withoutNulInKeys(event.data, reading.text),
    },
  };
}

function eventFields(reading: Reading) {
  const { id, event, mapping, severity, times, text, leafHash } = reading;
  const { kind, category, type } = mapping.ecs;
  return {
    id,
    action: event.action,
    kind,
    category: category.length === 0 ? undefined : category,
    type,
    outcome: event.outcome,
    severity: SEVERITY_NUMBERS[severity],
    module: 'tachograph',
    dataset: 'tachograph.audit',
    created: times.received,
    sequence: indexOf(reading),
    original: text,
    hash: leafHash,
  };
}

function userFields({ event: { actor }, targets }: Reading) {
  return {
    id: actor.id,
    name: actor.email ?? actor.name,
    full_name: actor.name,
    email: actor.email,
    target: firstTarget(targets, 'user'),
  };
}

function firstTarget(targets: readonly Target[], type: string) {
  const target = targets.find((candidate) => candidate.type === type);
  return target === undefined ? undefined : { id: target.id, name: target.name };
}

/** Rules for hosts look at `host.id`, newer ones at `device.id`: both are the thumbprint of the device's key. */
function deviceFields(reading: Reading) {
  const { device } = reading;
  if (device === undefined) return {};
  const [name, version] = [textIn(reading, 'client', 'os_name'), textIn(reading, 'client', 'os_version')];
  const os = name === undefined && version === undefined ? undefined : { name, version };
  return { device: { id: device }, host: { id: device, os } };
}

function clientFields(reading: Reading) {
  const ip = clientIpOf(reading);
  return ip === undefined ? undefined : { ip: ip.text };
}

function relatedFields({ event: { actor }, targets, device }: Reading, ip: string | undefined) {
  const ofTargets = targets.filter(({ type }) => type === 'user').flatMap(({ id, name }) => [id, name]);
  const users = [actor.id, actor.email, actor.name, ...ofTargets].filter((user) => user !== undefined);
  return {
    user: [...new Set(users)],
    hosts: device === undefined ? undefined : [device],
    ip: ip === undefined ? undefined : [ip],
  };
}

/** Elasticsearch keeps NUL for itself in a flattened field and refuses the whole event for a key that holds one. */
function withoutNulInKeys(data: unknown, text: string): unknown {
  return text.includes('\\u0000') ? cleaned(data) : data;
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.replaceAll('\0', '\ufffd'), cleaned(member)]),
  );
}
