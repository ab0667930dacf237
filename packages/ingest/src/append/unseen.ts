import { ERRORS, type Fault } from '@tachograph/wire';
import type { AppendMetrics } from '../context.ts';
import { NO_ROOM_RETRY_SECONDS } from '../http/body-budget.ts';
import { REGISTRY_RETRY_SECONDS } from '../http/problem.ts';
import type { Answer } from '../http/route.ts';
import type { Lanes } from '../lane/lanes.ts';

/** The answer to an append that was not read to its end, or not looked at. */
export function unread(fault: Fault): Answer {
  if (ERRORS[fault.code].status !== 503) return { fault };
  const isRegistry = fault.code === 'ERR_REGISTRY_UNAVAILABLE';
  const retryAfterSeconds = isRegistry ? REGISTRY_RETRY_SECONDS : NO_ROOM_RETRY_SECONDS;
  return { fault, extras: { retryAfterSeconds } };
}

/**
 * Why nothing that could be sent now would be taken by the lane of `device`, or, before that is known, by any lane;
 * `null` where it would be. It is counted.
 */
export function refusedUnseen(
  { lanes, metrics }: { readonly lanes: Lanes; readonly metrics: AppendMetrics },
  device?: { readonly tenant: string; readonly installation: string },
): { readonly ok: false; readonly fault: Fault } | null {
  const refusal = lanes.refusal(device);
  if (refusal === null) return null;
  metrics.requestRefused(refusal.reason);
  return { ok: false, fault: refusal.fault };
}
