import { HEADER, type RecordHeaders } from '@tachograph/event-log';
import { parseOrigin, TENANT_LOG_ACTIONS, utf8Text, type AuditEvent, type Target } from '@tachograph/wire';
import { auditEventSchema } from '@tachograph/wire/schema';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';
import { mappingOf, severityOf, type ActionMapping } from './actions.ts';
import type { FormatContext } from './format.ts';
import { hex } from './hex.ts';
import type { Severity } from './severity.ts';
import { integerIn, timesOf, type Times } from './times.ts';

/** An event as the formats with fields of their own see it: what the leaf says, and what ingest says of it. */
export type Reading = {
  /** What a destination knows it by: `<device>/<index>/<12 hex of the leaf hash>`; of an alarm its event id. */
  readonly id: string;
  readonly event: ReadEvent;
  /** What it was done to: its targets, else the object that an administrative change names in `data`. */
  readonly targets: readonly Target[];
  readonly mapping: ActionMapping;
  readonly severity: Severity;
  readonly tenant: string | undefined;
  /** The log that it stands in; of an alarm the one that it is about. */
  readonly log: string;
  /** The device that did it; of an event in the tenant's own log, or of an alarm, the one that it is about. */
  readonly device: string | undefined;
  readonly times: Times;
  readonly headers: RecordHeaders;
  /** The leaf as it was signed. */
  readonly text: string;
  readonly bytes: number;
  readonly leafHash: string | undefined;
};

/** An alarm of the exporter has no clock and was on no device: these members may be missing. */
type ReadEvent = Omit<AuditEvent, 'time' | 'online' | 'clock'> &
  Partial<Pick<AuditEvent, 'time' | 'online' | 'clock'>>;

type ReadResult =
  | { readonly kind: 'read'; readonly reading: Reading }
  | { readonly kind: 'unrepresentable'; readonly reason: string };

const schema = auditEventSchema.partial({ time: true, online: true, clock: true });

/**
 * Reads what a format maps. Ingest has marked what is no valid event, but whoever wrote the record, a destination
 * must not get members of other types than it was told: so the event is checked once more.
 */
export function readEvent(exported: ExportEvent, context: FormatContext): ReadResult {
  const { headers, value } = exported;
  const rejected = headers[HEADER.rejected];
  if (rejected !== undefined) return { kind: 'unrepresentable', reason: rejected };
  const [id, source] = [headers[HEADER.id], headers[HEADER.source]];
  if (!id || !source) return { kind: 'unrepresentable', reason: 'the record has no id or source' };
  const text = utf8Text(value);
  const parsed = text === null ? null : schema.safeParse(parseJson(text));
  if (text === null || !parsed?.success) {
    return { kind: 'unrepresentable', reason: 'the entry is no valid event' };
  }
  const event = parsed.data as ReadEvent;
  const log = headers[SUBJECT_HEADER] ?? source;
  const reading = {
    id,
    event,
    targets: event.targets ?? objectOf(event),
    mapping: mappingOf(event.action),
    severity: severityOf(event),
    tenant: headers[HEADER.tenant],
    log,
    device: deviceOf(event, headers),
    times: timesOf(headers, context),
    headers,
    text,
    bytes: value.length,
    leafHash: exported.leafHash === null ? undefined : hex(exported.leafHash),
  };
  return { kind: 'read', reading };
}

const SERVER_ACTIONS: ReadonlySet<string> = new Set(TENANT_LOG_ACTIONS);

function deviceOf({ action, targets }: ReadEvent, headers: RecordHeaders): string | undefined {
  const subject = headers[SUBJECT_HEADER];
  if (subject === undefined && SERVER_ACTIONS.has(action)) {
    return targets?.find(({ type }) => type === 'device')?.id;
  }
  const origin = parseOrigin(subject ?? headers[HEADER.source] ?? '');
  return origin.ok ? origin.value.device : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The one way `parse` fails is the input, and `undefined` is no event.
    return undefined;
  }
}

/** The trace that the recording request belonged to (W3C Trace Context, `traceparent`). */
export function traceOf({ headers }: Reading): { readonly trace: string; readonly span: string } | undefined {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(headers[HEADER.traceparent] ?? '');
  return match === null ? undefined : { trace: match[1]!, span: match[2]! };
}

/** The index in the device's log. */
export function indexOf({ headers }: Reading): number | undefined {
  return integerIn(headers, HEADER.sequence);
}

function objectOf(event: ReadEvent): Target[] {
  const [type, id] = [textIn({ event }, 'objectType'), textIn({ event }, 'objectId')];
  return type === undefined || id === undefined ? [] : [{ type, id }];
}

/** A text in the free part of an event, or in an object inside it. */
export function textIn({ event }: Pick<Reading, 'event'>, ...path: readonly string[]): string | undefined {
  let value: unknown = event.data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as { readonly [member: string]: unknown })[name];
  }
  return typeof value === 'string' && value !== '' ? value : undefined;
}
