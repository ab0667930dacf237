/** Who did it. */
export type Actor = {
  readonly id: string;
  readonly email?: string;
  readonly name?: string;
  readonly type?: string;
};

/** What it was done to. */
export type Target = { readonly type: string; readonly id: string; readonly name?: string };

export const OUTCOMES = ['success', 'failure', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A monotonic reading in milliseconds and the id of its origin: one page, one process. */
export type ClockReading = { readonly boot: string; readonly ms: number };

/** The newest receipt that the device had stored: the event cannot be older than its `time` (POSIX seconds). */
export type Seen = { readonly size: number; readonly time: number };

/** One audit event: the JSON of one leaf. Members that are not listed are kept and legal. */
export type AuditEvent = {
  /** UUIDv7. */
  readonly id: string;
  /** The device's wall clock, RFC 3339 UTC with milliseconds. */
  readonly time: string;
  readonly action: string;
  readonly actor: Actor;
  readonly targets?: readonly Target[];
  readonly outcome: Outcome;
  /** Whether the device believed that it was online. */
  readonly online: boolean;
  readonly clock: ClockReading;
  readonly seen?: Seen;
  readonly session?: string;
  readonly app?: { readonly name: string; readonly version?: string };
  readonly data?: { readonly [name: string]: unknown };
};

/** Actions that only the library writes, into the log of its own device. */
export const LIBRARY_ACTIONS = [
  'log.opened',
  'log.closed',
  'buffer.gap',
  'clock.stepped',
  'lease.expired',
  'cache.inventory',
  'cache.purge_started',
  'cache.purged',
  'cache.purge_failed',
] as const;

/** Actions of a tenant's own log: refused as content from any other log. */
export const TENANT_LOG_ACTIONS = [
  'tenant.created',
  'tenant.policy_changed',
  'tenant.revoked',
  'subject.revoked',
  'enrolment_token.created',
  'device.enrolled',
  'device.enrolment_refused',
  'device.enrolment_requested',
  'device.approved',
  'device.revoked',
  'device.restored',
  'device.dark',
  'lease.decided',
  'device.returned',
  'purge.ordered',
  'purge.confirmed',
  'log.forked',
  'log.gap',
  'log.invalid',
  'log.erased',
  'server.lost',
] as const;

/** Whether an app may not record `action` itself. */
export function isReservedAction(action: string): boolean {
  return [...LIBRARY_ACTIONS, ...TENANT_LOG_ACTIONS].some((reserved) => reserved === action);
}

/** `noun.verb`: lower-case words of letters, digits, `_` and `-`, with dots between them, up to 64 characters. */
export const ACTION_PATTERN = /^(?=.{1,64}$)[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+$/;
