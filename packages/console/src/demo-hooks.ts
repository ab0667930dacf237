import type { AuditBuffer, BufferStatus } from '@tachograph/client-buffer';
import type { DemoSchemas } from './events.ts';
import type { Recorder } from './recorder.ts';

/** What end-to-end tests and the benchmark use instead of thousands of clicks. */
type DemoHooks = {
  /** Records `count` reveals and resolves when all are durable. */
  readonly record: (count: number) => Promise<void>;
  readonly status: () => BufferStatus;
  readonly buffer: AuditBuffer<DemoSchemas>;
};

declare global {
  interface Window {
    tachographDemo?: DemoHooks;
  }
}

/** Puts the hooks where tests find them: `window.tachographDemo`. */
export function exposeHooks(audit: AuditBuffer<DemoSchemas>, recorder: Recorder): void {
  window.tachographDemo = { record: recorder.burst, status: () => audit.status(), buffer: audit };
}
