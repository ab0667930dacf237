import type { BufferStatus } from '@tachograph/client-buffer';

const KEY = 'tachograph-demo.waiting-since';

export type Waiting = {
  /** When the queue was last seen to become non-empty, RFC 3339, also in an earlier page load. */
  readonly since: string | null;
  /** Whether this page was loaded while entries waited already. */
  readonly reloaded: boolean;
  /** Whether those have arrived since. */
  readonly arrived: boolean;
};

/** Follows how long something has been waiting, across reloads. */
export function followWaiting(): (status: BufferStatus) => Waiting {
  let reloaded: boolean | null = null;
  let arrived = false;
  return ({ state, ledger }) => {
    const since = localStorage.getItem(KEY);
    // Until the store is open the ledger does not know what waits in it.
    if (state === 'opening') return { since, reloaded: false, arrived };
    reloaded ??= ledger.pending > 0;
    if (ledger.pending === 0) {
      arrived ||= reloaded;
      reloaded = false;
      if (since !== null) localStorage.removeItem(KEY);
      return { since: null, reloaded, arrived };
    }
    const start = since ?? new Date().toISOString();
    if (since === null) localStorage.setItem(KEY, start);
    return { since: start, reloaded, arrived };
  };
}
