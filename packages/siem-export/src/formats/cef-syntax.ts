import { shown } from './hidden.ts';

/** The extension keys that we write, with the most characters that ArcSight's dictionary keeps of each; else none. */
export const CEF_KEYS = {
  rt: null,
  start: null,
  end: null,
  deviceCustomDate1: null,
  deviceCustomDate1Label: 1023,
  deviceCustomDate2: null,
  deviceCustomDate2Label: 1023,
  externalId: 40,
  cat: 1023,
  outcome: 63,
  deviceExternalId: 255,
  suid: 1023,
  suser: 1023,
  duid: 1023,
  duser: 1023,
  src: null,
  c6a2: null,
  c6a2Label: 1023,
  fileType: 1023,
  fileId: 1023,
  fname: 1023,
  sourceServiceName: 1023,
  cs1: 4000,
  cs1Label: 1023,
  cs2: 4000,
  cs2Label: 1023,
  cs3: 4000,
  cs3Label: 1023,
  cs4: 4000,
  cs4Label: 1023,
  cs5: 4000,
  cs5Label: 1023,
  cs6: 4000,
  cs6Label: 1023,
  cn1: null,
  cn1Label: 1023,
  cn2: null,
  cn2Label: 1023,
  cn3: null,
  cn3Label: 1023,
  flexString1: 1023,
  flexString1Label: 128,
  flexString2: 1023,
  flexString2Label: 128,
} as const satisfies Record<string, number | null>;

type CefKey = keyof typeof CEF_KEYS;
const KEYS = Object.keys(CEF_KEYS) as CefKey[];
export type CefExtension = { readonly [Key in CefKey]?: string | number | undefined };

/** The head of a line: everything before the extension. */
export type CefHead = {
  readonly signatureId: string;
  readonly name: string;
  /** 0 to 10. */
  readonly severity: number;
};

/** One line of ArcSight's Common Event Format, version 0. */
export function cefLine({ signatureId, name, severity }: CefHead, extension: CefExtension): string {
  const parts: string[] = [];
  for (const key of KEYS) {
    const value = extension[key];
    if (value !== undefined) parts.push(`${key}=${extensionValue(key, String(value))}`);
  }
  const head = [
    'CEF:0',
    'Tachograph',
    'Tachograph',
    '1',
    header(signatureId),
    header(name),
    String(severity),
  ];
  return `${head.join('|')}|${parts.join(' ')}`;
}

/** In the head a pipe and a backslash have a backslash before them, and there are no line ends ("Character Encoding"). */
function header(text: string): string {
  return shown(text).replace(/[\\|]/g, '\\$&');
}

/** What needs nothing: ASCII without `\\`, `=` and `<`, and without spaces at the ends. */
const PLAIN = /^(?! )[ -;>-[\]-~]+(?<! )$/;

const LINE_END = /[\r\n]/;

/**
 * In the extension an equals sign and a backslash have a backslash before them, and line ends are `\n` and `\r`.
 * For nothing else there is an escape, so it is shown: also spaces at either end, at which readers trim.
 */
function extensionValue(key: CefKey, text: string): string {
  const charactersMax = CEF_KEYS[key];
  if (PLAIN.test(text) && text.length <= (charactersMax ?? Infinity)) return text;
  const lines = text.split(/([\r\n])/).map((part) => (LINE_END.test(part) ? part : shown(part)));
  return cut(atEnds(lines.join('')), charactersMax)
    .replace(/[\\=]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

function atEnds(text: string): string {
  return text.replace(/^ +| +$/g, (spaces) => '<U+0020>'.repeat(spaces.length));
}

/** A text that the dictionary would cut is cut by us, and ends in an ellipsis that says so. */
function cut(text: string, charactersMax: number | null): string {
  if (charactersMax === null || text.length <= charactersMax) return text;
  const kept = text.slice(0, charactersMax - 1);
  // Not between the halves of a surrogate pair, nor inside of a shown character.
  return `${kept.replace(/[\ud800-\udbff]$/, '').replace(/<(U(\+[0-9A-F]*)?)?$/, '')}…`;
}
