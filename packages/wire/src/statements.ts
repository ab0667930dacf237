import type { Bytes } from './bytes.ts';
import { need, parsing, refuse, type Parsed } from './fault.ts';
import type { Authority, Origin } from './names.ts';
import { parseNote, signNote, verifyNote, type NoteKey, type NoteSigner } from './note.ts';
import {
  authority,
  freeText,
  hash,
  hexHash,
  milliseconds,
  optional,
  origin,
  printable,
  scopeNames,
  time,
  token,
  vkeys,
  whole,
  type Field,
} from './statement-fields.ts';

type Fields<T> = { readonly [Name in keyof T]: Field<T[Name]> };

/**
 * A statement: the text of one of our notes. Its name stands on the first line, then one unlabelled value a line
 * in the order of `fields`.
 */
export type Statement<T> = {
  readonly name: string;
  /** The text, ending in a newline. */
  readonly format: (value: T) => string;
  readonly parse: (text: string) => Parsed<T>;
};

function statement<T>(name: string, fields: Fields<T>, list?: keyof T & string): Statement<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    name,
    format: (value) => `${[name, ...names.map((field) => fields[field].format(value[field]))].join('\n')}\n`,
    parse: (text) =>
      parsing(() => {
        const lines = text.split('\n');
        if (lines.pop() !== '' || lines.shift() !== name)
          refuse('ERR_STATEMENT', `the note is not a "${name}"`);
        // A list stands last and takes every line that is left.
        if (list !== undefined) lines.push(lines.splice(names.length - 1).join('\n'));
        if (lines.length !== names.length) refuse('ERR_STATEMENT', `a "${name}" has ${names.length} lines`);
        const entries = names.map((field, i) => [
          field,
          needField(fields[field].parse(lines[i]!, field), field),
        ]);
        return Object.fromEntries(entries) as T;
      }),
  };
}

/** The value of a line; a fault names the line's field, whatever the parser of its value calls it. */
function needField<T>(parsed: Parsed<T>, field: string): T {
  return need(parsed.ok ? parsed : { ok: false, fault: { ...parsed.fault, field } });
}

/**
 * Signs a statement.
 * @throws TypeError where what would be signed does not read back: a value of several lines, a scope named `-`
 */
export async function signStatement<T>(
  kind: Statement<T>,
  value: T,
  ...signers: readonly NoteSigner[]
): Promise<string> {
  const text = kind.format(value);
  const readBack = kind.parse(text);
  if (!readBack.ok || kind.format(readBack.value) !== text) {
    throw new TypeError(`this "${kind.name}" cannot be written as a note`);
  }
  return signNote(text, ...signers);
}

/** The value of a signed statement, once one of `keys` has verified it; the fault otherwise. */
export async function openStatement<T>(
  kind: Statement<T>,
  source: string,
  keys: readonly NoteKey[],
): Promise<Parsed<T>> {
  const note = parseNote(source);
  if (!note.ok) return note;
  const value = kind.parse(note.value.text);
  if (!value.ok || (await verifyNote(note.value, keys))) return value;
  return {
    ok: false,
    fault: { code: 'ERR_SIGNATURE', detail: `no known key has signed the "${kind.name}"` },
  };
}

/** A device says, with an append or alone, that it is here and what its clock and its queue are. */
export type RequestStatement = {
  readonly origin: Origin;
  /** The size of the checkpoint that it is sent with. */
  readonly size: number;
  readonly nonce: string;
  /** The device's wall clock at sending, milliseconds since the epoch. */
  readonly wallClock: number;
  /** The origin of `monotonicMs`: one page, one process. */
  readonly boot: string;
  readonly monotonicMs: number;
  /** Leaves from `old` on that the device holds. */
  readonly pendingCount: number;
  readonly oldestPending: number | null;
};
export const REQUEST_NOTE: Statement<RequestStatement> = statement('tachograph request/v1', {
  origin,
  size: whole,
  nonce: token,
  wallClock: time,
  boot: token,
  monotonicMs: milliseconds,
  pendingCount: whole,
  oldestPending: optional(time),
});

/** Ingest grants offline use for a time, counted from the sending of the request with this nonce. */
export type LeaseStatement = {
  readonly origin: Origin;
  readonly nonce: string;
  readonly blockAfterSeconds: number;
  readonly wipeAfterSeconds: number;
  readonly scopes: readonly string[];
};
export const LEASE_NOTE: Statement<LeaseStatement> = statement('tachograph lease/v1', {
  origin,
  nonce: token,
  blockAfterSeconds: whole,
  wipeAfterSeconds: whole,
  scopes: scopeNames,
});

/** The directive key orders a device to destroy its offline cache. */
export type PurgeStatement = {
  readonly origin: Origin;
  readonly id: string;
  readonly scopes: readonly string[];
  readonly reason: string;
  readonly issued: number;
};
export const PURGE_NOTE: Statement<PurgeStatement> = statement('tachograph purge/v1', {
  origin,
  id: token,
  scopes: scopeNames,
  reason: freeText,
  issued: time,
});

/** A device's old key names the device that goes on in its place. */
export type SuccessionStatement = {
  readonly oldOrigin: Origin;
  readonly newOrigin: Origin;
  readonly reason: SuccessionReason;
};
export const SUCCESSION_REASONS = ['fork', 'rollback', 'corrupt'] as const;
export type SuccessionReason = (typeof SUCCESSION_REASONS)[number];
const successionReason: Field<SuccessionReason> = {
  format: (value) => value,
  parse: (value, field) =>
    parsing(() => {
      const reason = SUCCESSION_REASONS.find((known) => known === value);
      return (
        reason ?? refuse('ERR_STATEMENT', `${field} is one of ${SUCCESSION_REASONS.join(', ')}`, { field })
      );
    }),
};
export const SUCCESSION_NOTE: Statement<SuccessionStatement> = statement('tachograph succession/v1', {
  oldOrigin: origin,
  newOrigin: origin,
  reason: successionReason,
});

/** A new key proves that it is held, and binds the credential to itself. */
export type EnrolmentStatement = {
  readonly origin: Origin;
  readonly challenge: string;
  /** Hex SHA-256 of the token, ID token or succession note as sent. */
  readonly credentialHash: string;
};
export const ENROLMENT_NOTE: Statement<EnrolmentStatement> = statement('tachograph enrolment/v1', {
  origin,
  challenge: printable,
  credentialHash: hexHash,
});

/** A device proves that it holds the key of the log whose receipt it brings back. */
export type RestoreStatement = { readonly origin: Origin; readonly size: number; readonly root: Bytes };
export const RESTORE_NOTE: Statement<RestoreStatement> = statement('tachograph restore/v1', {
  origin,
  size: whole,
  root: hash,
});

/** The directive key says which keys of this authority are good. A higher counter replaces the whole set. */
export type KeysStatement = {
  readonly authority: Authority;
  readonly counter: number;
  readonly keys: readonly NoteKey[];
};
export const KEYS_NOTE: Statement<KeysStatement> = statement(
  'tachograph keys/v1',
  { authority, counter: whole, keys: vkeys },
  'keys',
);

/** The names of an authority's own keys. */
export function keyNames(of: Authority) {
  return {
    cosigner: `${of}/ingest`,
    lease: `${of}/lease`,
    directive: `${of}/directive`,
    log: `${of}/log`,
  } as const;
}
