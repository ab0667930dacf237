import type { AuditBuffer } from '@tachograph/client-buffer';

type Replaying = Pick<AuditBuffer, 'flush' | 'status'>;

/**
 * Lets the replay go on until at least `accepted` entries have their receipts, and `afterMs` longer, so that the next
 * append is under way; then kills the server.
 * @returns how many entries had their receipts when the client had noticed
 */
export async function killInReplay(
  audit: Replaying,
  accepted: number,
  afterMs: number,
  kill: () => Promise<void>,
): Promise<number> {
  let flushing = Promise.resolve();
  let isFlushing = false;
  const watch = (): void => {
    isFlushing = true;
    flushing = flushed(audit).finally(() => {
      isFlushing = false;
    });
  };
  while (audit.status().ledger.accepted < accepted) {
    // A flush that met the restarting server has given up: the next one finds it.
    if (!isFlushing) watch();
    await pause(1);
  }
  await pause(afterMs);
  await kill();
  await flushing;
  return audit.status().ledger.accepted;
}

function flushed(audit: Replaying): Promise<void> {
  // What stands in its way is the killed server, which is what this is about.
  return audit.flush().catch(() => undefined);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
