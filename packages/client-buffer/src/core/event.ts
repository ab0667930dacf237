import { LIMITS, OUTCOMES, parseStrictJson, utf8 } from '@tachograph/wire';
import type { Actor, AuditEvent, Bytes, Outcome, Seen, Target } from '@tachograph/wire';
import { AuditBufferError } from '../errors.ts';

/** When and where an event is recorded; everything that is not pure comes in through here. */
export type Stamp = {
  /** Wall clock, milliseconds since the epoch. */
  readonly wallMs: number;
  readonly boot: string;
  readonly monotonicMs: number;
  readonly online: boolean;
  /** 10 random bytes. */
  readonly random: Bytes;
};

export type EventInput = {
  readonly action: string;
  readonly actor: Actor;
  readonly targets?: readonly Target[] | undefined;
  readonly outcome?: Outcome | undefined;
  readonly session?: string | undefined;
  readonly app?: AuditEvent['app'] | undefined;
  readonly data?: unknown;
};

export type Leaf = { readonly id: string; readonly bytes: Bytes };

/**
 * One event as its line of JSON: these bytes are hashed, stored, sent and forwarded, and never made again. `encode` gives
 * the UTF-8 of a text.
 * @throws AuditBufferError ERR_EVENT_INVALID, ERR_EVENT_TOO_LARGE
 */
export function makeLeaf(
  input: EventInput,
  stamp: Stamp,
  seen: Seen | null,
  encode: (text: string) => Bytes = utf8,
): Leaf {
  checkMembers(input);
  const id = uuidV7(stamp.wallMs, stamp.random);
  const event = {
    id,
    time: new Date(stamp.wallMs).toISOString(),
    action: input.action,
    actor: input.actor,
    targets: input.targets,
    outcome: input.outcome ?? 'success',
    online: stamp.online,
    clock: { boot: stamp.boot, ms: Math.max(0, Math.round(stamp.monotonicMs * 10) / 10) },
    seen: seen ?? undefined,
    session: input.session,
    app: input.app,
    data: input.data,
  };
  const bytes = encode(serialise(event));
  if (bytes.length > LIMITS.leafBytesMax)
    throw new AuditBufferError(
      'ERR_EVENT_TOO_LARGE',
      `${input.action}: ${bytes.length} bytes, above ${LIMITS.leafBytesMax}`,
    );
  checkMeaning(input, bytes);
  return { id, bytes };
}

function serialise(event: object): string {
  try {
    return JSON.stringify(event);
  } catch (cause) {
    // A cycle or a BigInt: the app's mistake, told where it is made.
    throw new AuditBufferError('ERR_EVENT_INVALID', 'the event is not JSON', { cause });
  }
}

function invalid(action: string, detail: string): never {
  throw new AuditBufferError('ERR_EVENT_INVALID', `${action}: ${detail}`);
}

/** What ingest would refuse as content is refused here, while the developer is still looking. */
function checkMembers({ action, actor, targets, outcome, session, app }: EventInput): void {
  if (!isObject(actor) || !isText(actor.id)) invalid(action, 'actor.id is 1 to 1024 characters');
  for (const name of ['email', 'name', 'type'] as const)
    if (actor[name] !== undefined && !isText(actor[name]))
      invalid(action, `actor.${name} is 1 to 1024 characters`);
  if (outcome !== undefined && !OUTCOMES.includes(outcome))
    invalid(action, `outcome is one of ${OUTCOMES.join(', ')}`);
  if (session !== undefined && !isText(session)) invalid(action, 'session is 1 to 1024 characters');
  if (
    app !== undefined &&
    !(isObject(app) && isText(app.name) && (app.version === undefined || isText(app.version)))
  )
    invalid(action, 'app is {name, version?}');
  if (targets === undefined) return;
  if (!Array.isArray(targets) || targets.length > TARGETS_MAX)
    invalid(action, `targets are at most ${TARGETS_MAX}`);
  for (const target of targets as readonly Target[])
    if (
      !isObject(target) ||
      !isText(target.type) ||
      !isText(target.id) ||
      (target.name !== undefined && !isText(target.name))
    )
      invalid(action, 'a target is {type, id, name?}');
}

const TARGETS_MAX = 64;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 1024;
}

/** Depth, member names and surrogates, by ingest's own parser. Flat data cannot offend and skips it. */
function checkMeaning({ action, actor, targets, data }: EventInput, bytes: Bytes): void {
  const flat = isFlat(actor) && (targets ?? []).every(isFlat) && (data === undefined || isFlat(data));
  if (flat) return;
  const parsed = parseStrictJson(bytes, LIMITS.jsonDepthMax);
  if (!parsed.ok) invalid(action, parsed.fault.detail);
  const leaf = parsed.value as { data?: unknown };
  if (leaf.data !== undefined && !isObject(leaf.data)) invalid(action, 'data is an object');
}

const PLAIN = /^[\u0000-\ud7ff\ue000-\uffff]*$/;

function isFlat(value: unknown): boolean {
  if (!isObject(value)) return false;
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__' || !PLAIN.test(name)) return false;
    if (typeof member === 'string' ? !PLAIN.test(member) : typeof member === 'object' && member !== null)
      return false;
  }
  // What has a `toJSON` is not what it looks like.
  return !('toJSON' in value);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then the 10 bytes of `random` with version and variant set. */
export function uuidV7(wallMs: number, random: Bytes): string {
  const time = Math.max(0, Math.trunc(wallMs)).toString(16).padStart(12, '0').slice(-12);
  const hex = (from: number, to: number): string => {
    let text = '';
    for (let i = from; i < to; i++) text += HEX[random[i]!]!;
    return text;
  };
  const version = HEX[(random[0]! & 0x0f) | 0x70]!;
  const variant = HEX[(random[2]! & 0x3f) | 0x80]!;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(1, 2)}-${variant}${hex(3, 4)}-${hex(4, 10)}`;
}
