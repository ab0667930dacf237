import type { CEF_KEYS } from '../../src/formats/cef-syntax.ts';
import { revealed } from '../../src/formats/hidden.ts';

export type CefEvent = {
  readonly head: readonly string[];
  /** As a destination reads it: escapes undone, hidden characters still shown. */
  readonly extension: { readonly [key: string]: string };
};

/**
 * A reader of CEF, written from the text of the standard and not from our writer: seven fields that end at a pipe
 * without a backslash before it, then pairs, of which a value ends before ` key=` or at the end of the line.
 */
export function readCef(line: string): CefEvent {
  const head: string[] = [];
  let field = '';
  let at = 0;
  for (; head.length < 7; at++) {
    if (at >= line.length) throw new Error('the head has less than seven fields');
    if (line[at] === '\\') field += line[++at]!;
    else if (line[at] === '|') [head[head.length], field] = [field, ''];
    else field += line[at]!;
  }
  const extension: { [key: string]: string } = {};
  const pair = /(?:^| )([A-Za-z0-9_]+)=((?:\\.|[^\\=])*?)(?=$| [A-Za-z0-9_]+=)/gsy;
  const rest = line.slice(at);
  while (pair.lastIndex < rest.length) {
    const match = pair.exec(rest);
    if (match === null) throw new Error(`no pair in the extension: ${JSON.stringify(rest)}`);
    const [, key = '', value = ''] = match;
    if (key in extension) throw new Error(`${key} stands there twice`);
    extension[key] = value.replace(/\\(.)/g, (_all, escaped: string) => UNESCAPED[escaped] ?? escaped);
  }
  return { head, extension };
}

const UNESCAPED: { readonly [character: string]: string } = { n: '\n', r: '\r' };

/** The exact text that an extension held. */
export function valueOf({ extension }: CefEvent, key: keyof typeof CEF_KEYS): string | undefined {
  const value = extension[key];
  return value === undefined ? undefined : revealed(value);
}
