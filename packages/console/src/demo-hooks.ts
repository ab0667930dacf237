import type { AuditBuffer, BufferStatus } from '@tachograph/client-buffer';
import type { ReachStep } from './cache-hooks.ts';
import type { DemoSchemas } from './events.ts';
import type { OfflineVault, OpenedItem } from './offline-vault.ts';
import type { Recorder } from './recorder.ts';

/** What end-to-end tests and the benchmark use instead of thousands of clicks. */
type DemoHooks = {
  /** Records `count` reveals and resolves when all are durable. */
  readonly record: (count: number) => Promise<void>;
  readonly status: () => BufferStatus;
  readonly buffer: AuditBuffer<DemoSchemas>;
  /** Reads one item of the cache as a click does, without recording it. */
  readonly read: (id: string) => Promise<OpenedItem>;
};

declare global {
  interface Window {
    tachographDemo?: DemoHooks;
    /** Set by tests before the page's own scripts run: a purge waits for it at each step. */
    tachographPurgeStep?: ReachStep;
  }
}

/** Puts the hooks where tests find them: `window.tachographDemo`. */
export function exposeHooks(
  audit: AuditBuffer<DemoSchemas>,
  { recorder, vault }: { readonly recorder: Recorder; readonly vault: OfflineVault },
): void {
  window.tachographDemo = {
    record: (count) => recorder.burst(count, vault.state().items),
    status: () => audit.status(),
    buffer: audit,
    read: vault.read,
  };
}

/** Lets a test hold the page at a step of a purge. */
export const reachPurgeStep: ReachStep = async (step) => {
  await window.tachographPurgeStep?.(step);
};
