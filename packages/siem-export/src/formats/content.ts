import { HEADER } from '@tachograph/event-log';
import { utf8Text } from '@tachograph/wire';
import type { ExportEvent } from '../export-event.ts';

/** How the bytes of a leaf may stand in a line. */
export type Content =
  /** JSON on one line: it can be spliced in as it is. Encoded again, `text` gives the leaf's exact bytes. */
  | { readonly kind: 'json'; readonly text: string }
  /** JSON that some readers would take for two lines. */
  | { readonly kind: 'json-with-cr' }
  /** Anything else. */
  | { readonly kind: 'bytes'; readonly reason: string };

const [LF, CR] = [0x0a, 0x0d];

/**
 * Looks at a leaf before it is spliced into a line. Ingest has marked what is no valid event, but the feed's
 * framing must hold whoever wrote the record, so the bytes are looked at once more.
 *
 * A carriage return is legal white space in JSON, yet readers with universal newlines (Python's text mode, Node's
 * readline) end a line there: an event could carry a whole forged line between two of them.
 */
export function contentOf(event: ExportEvent): Content {
  const code = event.headers[HEADER.rejected];
  if (code !== undefined) return { kind: 'bytes', reason: code };
  // JSON takes a line feed as white space too; the append framing excludes it, other writers might not.
  if (event.value.includes(LF)) return { kind: 'bytes', reason: 'the entry holds a line feed' };
  const text = utf8Text(event.value);
  if (text === null || !isJson(text)) return { kind: 'bytes', reason: 'the entry is not JSON' };
  return event.value.includes(CR) ? { kind: 'json-with-cr' } : { kind: 'json', text };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The one way `parse` fails is the input: that is this function's answer.
    return false;
  }
}
