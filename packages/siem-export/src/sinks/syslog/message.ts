import { HEADER } from '@tachograph/event-log';
import { parseOrigin, utf8, type Bytes } from '@tachograph/wire';
import { SUBJECT_HEADER } from '../../export-event.ts';
import { integerIn, timeIn } from '../../formats/times.ts';
import type { Delivery } from '../sink.ts';

/** The number that IANA keeps for documentation (RFC 5612): whoever has one of their own filters by the name alone. */
const SD_ID = 'tachograph@32473';
const SEVERITY = { warning: 4, informational: 6 };

type MessageOptions = { readonly facility: number; readonly appName: string };

/**
 * One event as RFC 5424 has it: what and when in the header, ids and times as structured data, the line as MSG. MSG has
 * no byte order mark, so by section 6.4 its encoding is unsaid; it is UTF-8, and readers of JSON and CEF want no mark.
 */
export function syslogMessage(delivery: Delivery, { facility, appName }: MessageOptions): Bytes {
  const { event, line, time } = delivery;
  const { headers } = event;
  // A finding, or an entry that is no event, is what somebody should look at.
  const isPlain = !(SUBJECT_HEADER in headers) && !(HEADER.rejected in headers);
  const priority = facility * 8 + (isPlain ? SEVERITY.informational : SEVERITY.warning);
  const source = headers[SUBJECT_HEADER] ?? headers[HEADER.source] ?? '';
  const origin = parseOrigin(source);
  const host = headerField(origin.ok ? origin.value.device : source, 255);
  const action = headerField(headers[HEADER.type] ?? '', 32);
  const head = `<${priority}>1 ${time} ${host} ${headerField(appName, 48)} - ${action}`;
  return utf8(`${head} ${structuredData(delivery, source)} ${line}`);
}

/** Octet counting (RFC 6587, section 3.4.1; RFC 5425): the length in bytes goes first. */
export function counted(message: Bytes): Bytes {
  return joined(utf8(`${message.length} `), message);
}

/** Non-transparent framing (RFC 6587, section 3.4.2). A line of ours holds no line feed. */
export function ended(message: Bytes): Bytes {
  return joined(message, Uint8Array.of(0x0a));
}

function joined(first: Uint8Array, second: Uint8Array): Bytes {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function structuredData({ event: { headers } }: Delivery, log: string): string {
  const sequence = integerIn(headers, HEADER.sequence);
  const lateness = integerIn(headers, HEADER.lateness);
  const parameters = Object.entries({
    id: headers[HEADER.id],
    tenant: headers[HEADER.tenant],
    log,
    sequence: sequence === undefined ? undefined : String(sequence),
    received: timeIn(headers, HEADER.recordedTime),
    occurred: timeIn(headers, HEADER.time),
    lateness_ms: lateness === undefined ? undefined : String(lateness),
  });
  const text = parameters.map(([name, value]) =>
    value === undefined ? '' : ` ${name}="${value.replaceAll(/["\\\]]/g, '\\$&')}"`,
  );
  return `[${SD_ID}${text.join('')}]`;
}

/** PRINTUSASCII of a length, or the NILVALUE. */
function headerField(text: string, charactersMax: number): string {
  const field = text.replaceAll(/[^!-~]/g, '_').slice(0, charactersMax);
  return field === '' ? '-' : field;
}
