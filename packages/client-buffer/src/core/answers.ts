import type { ErrorCode } from '@tachograph/wire';
import type { HttpAnswer } from '../transport.ts';
import { parseRetryAfter } from './backoff.ts';
import type { Rejection } from './rows.ts';

/** What comes with every answer to an append, good or conflicting. Nothing in it is verified yet. */
export type Extras = {
  readonly rejected: readonly Rejection[];
  readonly directives: readonly string[];
  readonly lease: string | null;
  readonly keys: string | null;
  readonly nextCheckInMs: number | null;
  /** What ingest holds of this device, where it says so. */
  readonly deviceStatus: string | null;
};

/** The next step that an HTTP answer asks for (PROTOCOL, the table of statuses). */
export type AppendAnswer =
  | { readonly kind: 'receipt'; readonly receipt: string; readonly extras: Extras }
  | {
      readonly kind: 'conflict';
      readonly status: 409 | 422;
      /** A cosigned checkpoint, or `null` for "nothing here yet". */
      readonly checkpoint: string | null;
      readonly extras: Extras;
    }
  | Refusal;

export type Refusal =
  | { readonly kind: 'too-large'; readonly code: ErrorCode }
  | { readonly kind: 'malformed'; readonly code: ErrorCode }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly status: number;
      readonly detail: string;
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'later'; readonly code: ErrorCode; readonly retryAfterMs: number | null }
  /** Not an answer of this protocol: no network, a captive portal, a proxy. Nothing follows from it. */
  | { readonly kind: 'network'; readonly detail: string };

/** Answers further apart than a day are no check-ins any more. */
const CHECK_IN_MAX_MS = 24 * 60 * 60 * 1000;

export function classifyAppend(answer: HttpAnswer, nowMs: number): AppendAnswer {
  if (answer.kind === 'failure') return { kind: 'network', detail: answer.detail };
  const { status } = answer;
  const json = parseObject(answer.body);
  if (json === null) return classifyOther(answer, null, nowMs);
  if (status === 200 && typeof json['receipt'] === 'string')
    return { kind: 'receipt', receipt: json['receipt'], extras: extrasOf(json) };
  const checkpoint = json['checkpoint'];
  if ((status === 409 || status === 422) && (checkpoint === null || typeof checkpoint === 'string'))
    return { kind: 'conflict', status, checkpoint, extras: extrasOf(json) };
  return classifyOther(answer, json, nowMs);
}

/** The members of an answer that is good by its status, or what the failure means. */
export function classifyJson(
  answer: HttpAnswer,
  nowMs: number,
): { readonly kind: 'json'; readonly json: Json } | Refusal {
  if (answer.kind === 'failure') return { kind: 'network', detail: answer.detail };
  const json = parseObject(answer.body);
  const good = answer.status === 200 || answer.status === 201;
  return good && json !== null ? { kind: 'json', json } : classifyOther(answer, json, nowMs);
}

type Json = { readonly [name: string]: unknown };

function classifyOther(
  { status, retryAfter }: { status: number; retryAfter: string | null },
  json: Json | null,
  nowMs: number,
): Refusal {
  const code = codeOf(json);
  // A proxy's 502 or 429 is no answer of ours, but its wish to be left alone is honoured.
  if (status === 429 || status >= 500 || status === 408) {
    const hint = json?.['retryAfterSeconds'];
    const told = typeof hint === 'number' && Number.isFinite(hint) ? hint * 1000 : null;
    return {
      kind: 'later',
      code: code ?? 'ERR_NETWORK',
      retryAfterMs: parseRetryAfter(retryAfter, nowMs) ?? told,
    };
  }
  // Below, only a code says that ingest itself has spoken.
  if (code === null) return { kind: 'network', detail: `HTTP ${status}, and no answer of the protocol` };
  if (status === 413) return { kind: 'too-large', code };
  if (status === 400 || status === 415 || status === 422) return { kind: 'malformed', code };
  if (status === 401 || status === 403 || status === 404)
    return { kind: 'refused', code, status, detail: detailOf(json), retryAfterMs: checkInMsOf(json) };
  return { kind: 'network', detail: `HTTP ${status} ${code}` };
}

/** A newer server may answer codes that are not in our table yet: their form is checked, their meaning is its own. */
function codeOf(json: Json | null): ErrorCode | null {
  const code = json?.['code'];
  return typeof code === 'string' && /^ERR_[A-Z0-9_]{1,60}$/.test(code) ? (code as ErrorCode) : null;
}

function detailOf(json: Json | null): string {
  const detail = json?.['detail'];
  return typeof detail === 'string' ? detail.slice(0, 500) : '';
}

function checkInMsOf(json: Json | null): number | null {
  const seconds = json?.['nextCheckInSeconds'];
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds * 1000, CHECK_IN_MAX_MS) : null;
}

function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function extrasOf(json: Json): Extras {
  return {
    rejected: listOf(json['rejected']).flatMap((entry) => rejectionOf(entry) ?? []),
    directives: listOf(json['directives']).filter((note) => typeof note === 'string'),
    lease: typeof json['lease'] === 'string' ? json['lease'] : null,
    keys: typeof json['keys'] === 'string' ? json['keys'] : null,
    nextCheckInMs: checkInMsOf(json),
    deviceStatus: typeof json['deviceStatus'] === 'string' ? json['deviceStatus'] : null,
  };
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function rejectionOf(entry: unknown): Rejection | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const { index, code } = entry as { index?: unknown; code?: unknown };
  return Number.isSafeInteger(index) && typeof code === 'string' ? { index: index as number, code } : null;
}
