import { utf8, type Bytes } from './bytes.ts';

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Standard base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD_CODES, true);
}

/** base64url without padding (RFC 4648, section 5; RFC 7515, appendix C). */
export function toBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE_CODES, false);
}

/** Bytes of canonical standard base64, or `null`: one value has exactly one accepted spelling. */
export function fromBase64(text: string): Bytes | null {
  return decode(text, STANDARD_VALUES, true);
}

/** Bytes of canonical, unpadded base64url, or `null`. */
export function fromBase64Url(text: string): Bytes | null {
  return decode(text, URL_SAFE_VALUES, false);
}

const STANDARD_CODES = utf8(STANDARD);
const URL_SAFE_CODES = utf8(URL_SAFE);
const ascii = new TextDecoder();
const PADDING = 61;

function encode(bytes: Uint8Array, alphabet: Uint8Array, padded: boolean): string {
  // Codes are gathered and decoded at once: a string that grows by characters is slow for a long value.
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    codes[at++] = alphabet[(word >> 18) & 63]!;
    codes[at++] = alphabet[(word >> 12) & 63]!;
    codes[at++] = alphabet[(word >> 6) & 63]!;
    codes[at++] = alphabet[word & 63]!;
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  if (padded) codes.fill(PADDING, at - missing);
  return ascii.decode(padded ? codes : codes.subarray(0, at - missing));
}

function values(alphabet: string): Int8Array {
  const table = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
}
const STANDARD_VALUES = values(STANDARD);
const URL_SAFE_VALUES = values(URL_SAFE);

function decode(text: string, table: Int8Array, padded: boolean): Bytes | null {
  let end = text.length;
  if (padded) {
    if (end % 4 !== 0) return null;
    if (text.endsWith('==')) end -= 2;
    else if (text.endsWith('=')) end -= 1;
  }
  const tail = end % 4;
  if (tail === 1) return null;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let word = 0;
  let at = 0;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? table[code]! : -1;
    if (value < 0) return null;
    word = ((word << 6) | value) & 0xffffff;
    if (i % 4 === 3) {
      bytes[at++] = word >> 16;
      bytes[at++] = (word >> 8) & 255;
      bytes[at++] = word & 255;
    }
  }
  // "Implementations MUST reject" non-zero trailing bits where canonical form is wanted (RFC 4648, 3.5).
  if (tail === 2) {
    if (word & 15) return null;
    bytes[at] = (word >> 4) & 255;
  } else if (tail === 3) {
    if (word & 3) return null;
    bytes[at++] = (word >> 10) & 255;
    bytes[at] = (word >> 2) & 255;
  }
  return bytes;
}
