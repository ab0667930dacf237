import { LogMissingError } from '@tachograph/event-log';
import type { Fault } from '@tachograph/wire';
import { REGISTRY_UNAVAILABLE, RegistryUnavailableError } from '../registry/unavailable.ts';
import { LogTruncatedError } from './ports.ts';
import type { WaitingRefusal } from './waiting-bytes.ts';

/** Why a request was turned away unseen, or given up: what the metric counts by. */
export type RefusalReason =
  | WaitingRefusal
  /** Bodies take all the room that they may. */
  | 'bodies'
  /** The log takes longer than it usually does. */
  | 'log_stalled'
  /** The log cannot be read. */
  | 'log_away'
  /** It waited as long as it may. */
  | 'deadline'
  /** The node shuts down, or the log was truncated. */
  | 'stopped';

export type LaneRefusal = { readonly reason: RefusalReason; readonly fault: Fault };

export const LOG_UNAVAILABLE: Fault = {
  code: 'ERR_LOG_UNAVAILABLE',
  detail: 'the log did not settle the append',
};
export const LOG_UNREAD: Fault = {
  code: 'ERR_LOG_UNAVAILABLE',
  detail: 'the log is still being read, or cannot be reached',
};
export const LOG_UNSETTLED: Fault = {
  code: 'ERR_LOG_UNAVAILABLE',
  detail: 'the log did not settle the append in time',
};
export const LOG_STALLED: Fault = {
  code: 'ERR_LOG_UNAVAILABLE',
  detail: 'the log takes longer than it usually does',
};

/** What requests are told whose outcome `error` has left unknown. */
export function faultOf(error: unknown): Fault {
  if (error instanceof RegistryUnavailableError) return REGISTRY_UNAVAILABLE;
  if (error instanceof LogMissingError || error instanceof LogTruncatedError)
    return { code: 'ERR_LOG_TRUNCATED', detail: error.message };
  return LOG_UNAVAILABLE;
}

/** The quota of a tenant is its own doing (429); that there is no room is not (503). */
export function noRoom(reason: WaitingRefusal): LaneRefusal {
  const fault: Fault =
    reason === 'tenant_quota'
      ? { code: 'ERR_RATE', detail: 'too many bytes of this tenant are waiting to be appended' }
      : { code: 'ERR_OVERLOADED', detail: 'too many bytes are waiting to be appended' };
  return { reason, fault };
}
