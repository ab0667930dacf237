import { utf8Text } from './bytes.ts';
import { parsing, refuse, type Parsed } from './fault.ts';

/**
 * Parses the JSON of a leaf, refusing what two readers could read differently: bytes that are not UTF-8, a
 * member named twice, `__proto__`, lone surrogates, and nesting beyond `depthMax` levels inside the outermost value.
 * Signed bytes must mean one thing to every SIEM behind us.
 */
export function parseStrictJson(bytes: Uint8Array, depthMax: number): Parsed<unknown> {
  return parsing(() => {
    if (bytes.length === 0) refuse('ERR_LEAF_EMPTY', 'the leaf is empty');
    const text = utf8Text(bytes);
    if (text === null) return refuse('ERR_LEAF_UTF8', 'the leaf is not UTF-8');
    const plain = parsePlain(text, depthMax);
    if (plain !== undefined) return plain;
    // Depth first: the scan needs no recursion, and JSON.parse never sees what is too deep.
    scan(text, depthMax);
    const value = parseJson(text);
    // Only an escape can smuggle a lone surrogate past the UTF-8 check.
    if (/\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value))
      refuse('ERR_LEAF_SURROGATE', 'a string has a lone surrogate');
    return value;
  });
}

/**
 * The value of what nearly every leaf is: JSON without an escape, in which no name can have two spellings. A member
 * that stands twice is then seen by the value's having fewer members than the text has. `undefined` says nothing but
 * that this is not such a text: the scan below tells what it is.
 */
function parsePlain(text: string, depthMax: number): unknown {
  if (text.includes('\\') || text.includes('__proto__')) return undefined;
  const members = countMembersWritten(text, depthMax);
  if (members === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return countMembersOf(value) === members ? value : undefined;
  } catch {
    // Parsed again below, where the reason is wanted.
    return undefined;
  }
}

/** The colons outside of strings, in a text without escapes; `null` where it is nested deeper than `depthMax`. */
function countMembersWritten(text: string, depthMax: number): number | null {
  let members = 0;
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      do i++;
      while (i < text.length && text.charCodeAt(i) !== QUOTE);
    } else if (code === COLON) {
      members++;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      // The outermost value is level 0.
      if (open++ > depthMax) return null;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      open--;
    }
  }
  return members;
}

function countMembersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const element of value) members += countMembersOf(element);
    return members;
  }
  const object = value as { readonly [name: string]: unknown };
  for (const name in object) {
    const member = object[name];
    members++;
    if (typeof member === 'object') members += countMembersOf(member);
  }
  return members;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse(
      'ERR_LEAF_JSON',
      `the leaf is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [123, 125, 91, 93];

/** Walks tokens just far enough to see depth and member names; whether it is JSON at all, JSON.parse says. */
function scan(text: string, depthMax: number): void {
  // The names seen in each open object; an open array has none.
  const open: (Set<string> | null)[] = [];
  let expectName = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = stringEnd(text, i);
      if (expectName) takeName(open[open.length - 1], text.slice(i, end + 1));
      i = end;
      expectName = false;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      // The outermost value is level 0.
      if (open.length > depthMax)
        refuse('ERR_LEAF_DEPTH', 'the leaf is nested too deeply', { limit: depthMax });
      open.push(code === OPEN_BRACE ? new Set() : null);
      expectName = code === OPEN_BRACE;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      open.pop();
      expectName = false;
    } else if (code === COMMA) {
      expectName = open[open.length - 1] instanceof Set;
    } else if (code === COLON) {
      expectName = false;
    }
  }
}

function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  return text.length;
}

function takeName(names: Set<string> | null | undefined, quoted: string): void {
  // A name without its closing quote is for JSON.parse to refuse.
  if (quoted.length < 2 || !quoted.endsWith('"')) return;
  // Two spellings of one name are one name: "a" and "\u0061".
  const name = quoted.includes('\\') ? String(parseJson(quoted)) : quoted.slice(1, -1);
  if (name === '__proto__') refuse('ERR_LEAF_PROTO', 'a member is named __proto__');
  if (names?.has(name))
    refuse('ERR_LEAF_DUPLICATE_KEY', `the member ${quoted} stands twice`, { field: name });
  names?.add(name);
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member));
}
