import { shortId } from './format.ts';

const DEVICE_ID = /^[A-Za-z0-9_-]{43}$/;

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
  /** Where the event stands to the revocation of its device: `before`, `straddles`, `after`; `null` where it is none's. */
  readonly revocation: string | null;
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
    revocation: text(event['revocation']),
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
  const told = aboutCache(data['data']);
  if (told !== null) return told;
  const target: unknown = Array.isArray(targets) ? targets[0] : null;
  const named = isObject(target) ? (text(target['name']) ?? nameOf(text(target['id']))) : null;
  const about =
    named ?? (isObject(actor) ? (text(actor['email']) ?? personOf(text(actor['id']))) : null) ?? '';
  return outcome === 'failure' ? `${about}, failed` : about;
}

/** What the library's own entries say of the cache: how much was destroyed, or is held. */
function aboutCache(data: unknown): string | null {
  if (!isObject(data)) return null;
  const { counts, keys, held } = data;
  if (isObject(counts) && typeof keys === 'number') {
    const items = Object.values(counts).reduce<number>((sum, n) => sum + (typeof n === 'number' ? n : 0), 0);
    return `${items} items, ${keys} keys`;
  }
  return typeof held === 'number' ? `${held} items` : null;
}

/** What a device does by itself needs no name: its row has its place. */
function personOf(id: string | null): string | null {
  return id !== null && DEVICE_ID.test(id) ? null : id;
}

/** The thumbprint of a device is too long to be read. */
function nameOf(id: string | null): string | null {
  return id !== null && DEVICE_ID.test(id) ? `device ${shortId(id, 6)}` : id;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
