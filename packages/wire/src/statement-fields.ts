import { fromBase64, toBase64 } from './base64.ts';
import type { Bytes } from './bytes.ts';
import { parseDecimal } from './checkpoint.ts';
import { need, parsing, refuse, type Parsed } from './fault.ts';
import { LIMITS } from './limits.ts';
import { parseAuthority, parseOrigin, type Authority, type Origin } from './names.ts';
import { formatVkey, parseVkey, type NoteKey } from './note.ts';

/** How one value of a statement is written on its line. */
export type Field<T> = {
  readonly format: (value: T) => string;
  readonly parse: (text: string, name: string) => Parsed<T>;
};

/** Free text on one line; the parser of the note has refused control characters already, this one says which field. */
export const freeText: Field<string> = {
  format: (value) => value,
  parse: (line, field) =>
    parsing(() => {
      if (/[\u0000-\u001f]/.test(line))
        refuse('ERR_STATEMENT', `${field} is one line without control characters`, { field });
      return line;
    }),
};

export const token: Field<string> = {
  format: (value) => value,
  parse: (line, field) =>
    parsing(() => {
      if (!/^[\x21-\x7e]+$/.test(line) || line.length > LIMITS.tokenCharsMax) {
        refuse('ERR_STATEMENT', `${field} is 1 to ${LIMITS.tokenCharsMax} printable ASCII characters`, {
          field,
          limit: LIMITS.tokenCharsMax,
        });
      }
      return line;
    }),
};

export const whole: Field<number> = { format: String, parse: parseDecimal };

/** Milliseconds with a fraction of up to three digits: 15 digits in all, which a number holds exactly. */
export const milliseconds: Field<number> = {
  format: (value) => String(Math.round(value * 1000) / 1000),
  parse: (line, field) =>
    parsing(() => {
      if (!/^(0|[1-9][0-9]{0,11})(\.[0-9]{0,2}[1-9])?$/.test(line)) {
        refuse('ERR_STATEMENT', `${field} is milliseconds with up to three decimals`, { field });
      }
      return Number(line);
    }),
};

/** A time, as milliseconds since the epoch; RFC 3339 UTC with milliseconds on its line. */
export const time: Field<number> = {
  format: (value) => new Date(value).toISOString(),
  parse: (line, field) =>
    parsing(() => {
      const value = Date.parse(line);
      // Four digits of year: `toISOString` also writes years that RFC 3339 does not have.
      if (!/^\d{4}-/.test(line) || !Number.isFinite(value) || new Date(value).toISOString() !== line) {
        refuse('ERR_STATEMENT', `${field} is RFC 3339 in UTC with milliseconds`, { field });
      }
      return value;
    }),
};

export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    format: (value) => (value === null ? '-' : field.format(value)),
    parse: (line, name) => (line === '-' ? { ok: true, value: null } : field.parse(line, name)),
  };
}

/** `-` stands for the empty list, a comma between names. */
function isScopeName(name: string): boolean {
  return name !== '-' && /^[\x21-\x2b\x2d-\x7e]{1,128}$/.test(name);
}

/** Comma-separated names: `*`, or what the app calls its scopes. An empty list is `-`. */
export const scopeNames: Field<readonly string[]> = {
  format: (value) => {
    if (!value.every(isScopeName)) throw new TypeError('a scope is 1 to 128 printable ASCII, no comma');
    return value.length === 0 ? '-' : value.join(',');
  },
  parse: (line, field) =>
    parsing(() => {
      const list = line === '-' ? [] : line.split(',');
      if (!list.every(isScopeName)) {
        refuse('ERR_STATEMENT', `${field} is a comma-separated list of names`, { field });
      }
      return list;
    }),
};

export const origin: Field<Origin> = {
  format: (value) => value,
  parse: (line) => parsing(() => need(parseOrigin(line)).origin),
};

export const authority: Field<Authority> = { format: (value) => value, parse: parseAuthority };

export const hash: Field<Bytes> = {
  format: toBase64,
  parse: (line, field) =>
    parsing(() => {
      const bytes = fromBase64(line);
      if (bytes === null || bytes.length !== 32) {
        return refuse('ERR_STATEMENT', `${field} is 32 bytes in canonical base64`, { field });
      }
      return bytes;
    }),
};

/** SHA-256 in lower-case hexadecimal. */
export const hexHash: Field<string> = {
  format: (value) => value,
  parse: (line, field) =>
    parsing(() => {
      if (!/^[0-9a-f]{64}$/.test(line))
        refuse('ERR_STATEMENT', `${field} is a SHA-256 in lower-case hex`, { field });
      return line;
    }),
};

export const vkeys: Field<readonly NoteKey[]> = {
  format: (value) => value.map(formatVkey).join('\n'),
  parse: (lines) => parsing(() => lines.split('\n').map((line) => need(parseVkey(line)))),
};

export const printable: Field<string> = {
  format: (value) => value,
  parse: (value, field) =>
    parsing(() => {
      if (!/^[\x21-\x7e]{1,512}$/.test(value))
        refuse('ERR_STATEMENT', `${field} is printable ASCII`, { field });
      return value;
    }),
};
