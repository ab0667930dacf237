import type { Io } from '../io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Waits for SIGINT or SIGTERM, then runs `close` once. A second signal ends the process at once: whoever sends it
 * does not want to wait, and nothing that was acknowledged depends on an orderly end.
 */
export async function closeOnSignal(io: Io, close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
        resolve();
      });
    }
  });
  io.err('Stopping: what is in flight is settled first. Once more to stop at once.\n');
  await close();
}
