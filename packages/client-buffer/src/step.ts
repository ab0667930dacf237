import type { Problem } from './core/rows.ts';

/** How one attempt to upload ended. */
export type Step =
  /** Something moved: go on at once. */
  | { readonly kind: 'progress' }
  /** Everything has its receipt. */
  | { readonly kind: 'idle' }
  /** Another tab is at it until then (milliseconds from now). */
  | { readonly kind: 'claimed'; readonly retryMs: number }
  /** The log is closed and sent: there is nothing to come. */
  | { readonly kind: 'closed' }
  /** Not enrolled: nothing may be sent. */
  | { readonly kind: 'not-enrolled' }
  | Setback;

/** It did not work; nothing was lost by it. */
export type Setback = {
  readonly kind: 'setback';
  readonly problem: Problem;
  /** `network`: no valid answer came, so a network that comes back is a reason to try at once. */
  readonly cause: 'network' | 'server' | 'refused' | 'device';
  /** What the server asked for, or `null`. */
  readonly retryAfterMs: number | null;
};

export const PROGRESS: Step = { kind: 'progress' };

export function setback(
  cause: Setback['cause'],
  problem: Problem,
  retryAfterMs: number | null = null,
): Setback {
  return { kind: 'setback', cause, problem, retryAfterMs };
}

export function networkSetback(detail: string): Setback {
  return setback('network', { code: 'ERR_NETWORK', detail });
}
