import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';
import { EXPORT_LIMITS } from '../limits.ts';
import { fileProblem, type Place, type RoutesProblem } from './problem.ts';

/** The values of a YAML text, and where each stands. */
export type YamlSource = {
  readonly value: unknown;
  /** Where what `path` leads to is written: the value, or the name of the member. What is missing is where it is missed. */
  readonly placeOf: (path: readonly PropertyKey[], part: 'name' | 'value') => Place;
};

export type ReadYaml =
  | { readonly ok: true; readonly source: YamlSource }
  | { readonly ok: false; readonly problems: readonly RoutesProblem[] };

/** Reads YAML 1.2 within bounds; JSON is a part of it. Pure. */
export function readYaml(text: string): ReadYaml {
  if (Buffer.byteLength(text) > EXPORT_LIMITS.routesFileBytesMax) {
    return refused([fileProblem(`larger than ${EXPORT_LIMITS.routesFileBytesMax} bytes`)]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // Both would copy parts of the file, and with them what is secret there: into messages, and onto stderr.
    prettyErrors: false,
    logLevel: 'error',
    stringKeys: true,
    uniqueKeys: true,
  });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problem = (offset: number, message: string): RoutesProblem => ({
    severity: 'error',
    place: placeAt(offset),
    path: '',
    message,
  });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return refused(faults.map(({ pos: [offset], code }) => problem(offset, MEANINGS[code])));
  }
  const dangling = danglingAliases(document);
  if (dangling.length > 0) {
    return refused(
      dangling.map((offset) => problem(offset, 'an alias (*name) without its anchor (&name) before it')),
    );
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: EXPORT_LIMITS.routesAliasesMax });
    const tooLarge = whyTooLarge(value);
    if (tooLarge !== null) return refused([fileProblem(tooLarge)]);
    return { ok: true, source: { value, placeOf: (path, part) => placeAt(offsetOf(document, path, part)) } };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return refused([fileProblem(`more than ${EXPORT_LIMITS.routesAliasesMax} uses of aliases (*name)`)]);
  }
}

/** What the parser means, in our own words: its messages repeat what stands in the file. */
const MEANINGS = {
  ALIAS_PROPS: 'an alias (*name) takes no anchor and no tag',
  BAD_ALIAS: 'an alias (*name) or anchor (&name) needs a name',
  BAD_COLLECTION_TYPE: 'a tag (!…) that does not fit what it stands before; no tag is needed here',
  BAD_DIRECTIVE: 'an unknown directive (%…); none is needed here',
  BAD_DQ_ESCAPE: 'an unknown escape (\\…) inside double quotes; single quotes take a backslash as it is',
  BAD_INDENT: 'indentation that does not fit, or a bracket that is not closed',
  BAD_PROP_ORDER: 'an anchor or tag stands before the value that it belongs to',
  BAD_SCALAR_START: 'a value may not begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "name: value" on one line; begin a new line, or put the value in quotes',
  BLOCK_IN_FLOW: 'inside brackets, members are written {name: value} and lists [a, b]',
  DUPLICATE_KEY: 'a member of this name stands there already',
  IMPOSSIBLE: 'not valid YAML',
  KEY_OVER_1024_CHARS: 'a name of more than 1024 characters',
  MISSING_CHAR: 'something is missing here: a space behind ":" or "-", a quote, a comma or a bracket',
  MULTILINE_IMPLICIT_KEY: 'a name has to stand on one line; is a ":" missing?',
  MULTIPLE_ANCHORS: 'at most one anchor (&name)',
  MULTIPLE_DOCS: 'a second document (---); the file holds one',
  MULTIPLE_TAGS: 'at most one tag (!…)',
  NON_STRING_KEY: 'the name of a member must be a text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'indentation by a tab; YAML takes spaces only',
  TAG_RESOLVE_FAILED: 'an unknown tag (!…); none is needed here',
  UNEXPECTED_TOKEN: 'not expected here; a text with a brace, bracket or quote in it needs quotes around it',
} as const satisfies { readonly [code in Document['errors'][number]['code']]: string };

function refused(problems: readonly RoutesProblem[]): ReadYaml {
  return { ok: false, problems };
}

/** Where aliases stand that lead nowhere. */
function danglingAliases(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  return offsets;
}

/** Whether `value`, with what aliases share written out at each place, is more than may be looked at. */
function whyTooLarge(value: unknown): string | null {
  const { routesValuesMax: valuesMax, routesDepthMax: depthMax } = EXPORT_LIMITS;
  let values = 0;
  let isTooDeep = false;
  const walk = (within: unknown, depth: number): void => {
    values += 1;
    isTooDeep ||= depth > depthMax;
    if (values > valuesMax || isTooDeep || typeof within !== 'object' || within === null) return;
    for (const inner of Object.values(within)) walk(inner, depth + 1);
  };
  walk(value, 0);
  if (isTooDeep) return `nested too deeply: more than ${depthMax} levels`;
  return values > valuesMax ? `more than ${valuesMax} values` : null;
}

/** Follows `path` as far as it exists. */
function offsetOf(document: Document, path: readonly PropertyKey[], part: 'name' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [i, step] of path.entries()) {
    const within = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(within) && typeof step === 'number') {
      node = within.items[step];
    } else if (isMap(within)) {
      const pair = within.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      node = pair.value;
      offset = startOf(pair.key) ?? offset;
      if (part === 'name' && i === path.length - 1) break;
    } else {
      break;
    }
    offset = startOf(node) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function isNode(node: unknown): node is Node {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
}
