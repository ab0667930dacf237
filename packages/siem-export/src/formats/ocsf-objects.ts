import type { Actor, Target } from '@tachograph/wire';
import { textIn, type Reading } from './reading.ts';

/** The schema's own pattern of `email_t`: an address of another form stays in the name. */
const EMAIL = /^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$/;

const USER_TYPES: { readonly [type: string]: number } = { user: 1, admin: 2, system: 3, service: 4 };
const OTHER = 99;

export function userObject({ id, email, name, type }: Actor) {
  const typeId = type !== undefined && Object.hasOwn(USER_TYPES, type) ? USER_TYPES[type] : OTHER;
  return {
    uid: id,
    name: email ?? name,
    full_name: name,
    email_addr: email !== undefined && EMAIL.test(email) ? email : undefined,
    ...(type === undefined ? {} : { type_id: typeId, type }),
  };
}

/** Its kind is not known to us, which the schema wants to be told (`type_id` is required). */
export function deviceObject(reading: Reading) {
  const { device } = reading;
  return device === undefined
    ? undefined
    : { uid: device, type_id: 0, type: 'Unknown', os: osObject(reading) };
}

function osObject(reading: Reading) {
  const name = textIn(reading, 'client', 'os_name');
  if (name === undefined) return undefined;
  return { name, type_id: 0, version: textIn(reading, 'client', 'os_version') };
}

/** What the schema requires and an event need not say. */
const UNKNOWN = { name: 'Unknown' };

/** The first target of this type, or what stands for one. */
export function targetOf({ targets }: Reading, type: string): { uid?: string; name?: string | undefined } {
  const target = targets.find((candidate) => candidate.type === type);
  return target === undefined ? UNKNOWN : { uid: target.id, name: target.name };
}

function resourceObject({ id, name, type }: Target) {
  return { uid: id, name, type };
}

/** Targets as resources; where there are none, one that says so. */
export function resourcesOf({ targets }: Reading, without: readonly string[] = []) {
  const resources = targets.filter(({ type }) => !without.includes(type)).map(resourceObject);
  return resources.length === 0 ? [UNKNOWN] : resources;
}

const ENTITY_TYPES: { readonly [type: string]: { readonly id: number; readonly caption: string } } = {
  device: { id: 1, caption: 'Device' },
  user: { id: 2, caption: 'User' },
  group: { id: 3, caption: 'Group' },
  tenant: { id: 4, caption: 'Organization' },
  policy: { id: 5, caption: 'Policy' },
};

/** What was managed: the first target, else the device itself. */
export function entityObject(reading: Reading) {
  const { targets, device, log } = reading;
  const [first] = targets;
  const target: Target = first ?? { type: 'device', id: device ?? log };
  const type = Object.hasOwn(ENTITY_TYPES, target.type) ? ENTITY_TYPES[target.type] : undefined;
  return {
    uid: target.id,
    name: target.name,
    type_id: type?.id ?? OTHER,
    type: type?.caption ?? target.type,
  };
}
