/** One line that the exporter wrote, as the strip shows it. */
export type ExportRow = {
  readonly id: string;
  readonly action: string;
  /** What the event was done to, else who did it; or the code of an entry that is no valid event. */
  readonly about: string;
  /** Best time of the event, RFC 3339. */
  readonly occurred: string;
  /** When ingest received it, RFC 3339. */
  readonly received: string;
  readonly latenessMs: number;
  /** The device's id: the last part of the CloudEvent's source. */
  readonly device: string;
  readonly index: number;
  /** The id that the app was given when it recorded the event, where the line holds an event. */
  readonly eventId: string | null;
  /** Hexadecimal SHA-256 of the leaf (RFC 6962). */
  readonly leafHash: string | null;
};

/** A row from one NDJSON line of the `cloudevents` format, or `null` where the line is something else. */
export function parseExportLine(line: string): ExportRow | null {
  const event = parseObject(line);
  const [id, type, time, source] = [event?.['id'], event?.['type'], event?.['time'], event?.['source']].map(
    text,
  );
  if (event === null || !id || !type || !time || !source) return null;
  const received = text(event['recordedtime']) ?? time;
  return {
    id,
    action: type,
    about: text(event['rejected']) ?? aboutOf(event['data']),
    occurred: time,
    received,
    latenessMs: latenessOf(event['lateness'], time, received),
    device: source.slice(source.lastIndexOf('/') + 1),
    index: Number(event['sequence'] ?? Number.NaN),
    eventId: isObject(event['data']) ? text(event['data']['id']) : null,
    leafHash: text(event['leafhash']),
  };
}

/** The rows of `next` that `shown` does not hold yet, by id. */
export function newRows(shown: readonly ExportRow[], next: readonly ExportRow[]): ReadonlySet<string> {
  const known = new Set(shown.map((row) => row.id));
  return new Set(next.filter((row) => !known.has(row.id)).map((row) => row.id));
}

function latenessOf(lateness: unknown, time: string, received: string): number {
  const stated = typeof lateness === 'string' ? Number(lateness) : Number.NaN;
  return Number.isFinite(stated) ? stated : Date.parse(received) - Date.parse(time);
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    // The last line may be half written: that is this function's `null`.
    return null;
  }
}

/** What the event was done to, else by whom; and that it failed. */
function aboutOf(data: unknown): string {
  if (!isObject(data)) return '';
  const { targets, actor, outcome } = data;
  const target: unknown = Array.isArray(targets) ? targets[0] : null;
  const named = isObject(target) ? (text(target['name']) ?? text(target['id'])) : null;
  const about = named ?? (isObject(actor) ? (text(actor['email']) ?? text(actor['id'])) : null) ?? '';
  return outcome === 'failure' ? `${about}, failed` : about;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
