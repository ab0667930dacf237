import { AuditBufferError, type AuditBuffer } from '@tachograph/client-buffer';
import { fetchConfig } from './config.ts';
import { nextPollMs } from './core/poll.ts';
import type { DemoSchemas } from './events.ts';
import type { NetworkSwitch } from './network-switch.ts';

/**
 * Enrols this browser as soon as the server can be reached, and tries again while it cannot. Nothing waits for it:
 * recording has started long before.
 */
export function keepEnrolled(audit: AuditBuffer<DemoSchemas>, network: NetworkSwitch): void {
  let failures = 0;
  let running = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const attempt = async (): Promise<void> => {
    if (running || network.isOff() || audit.status().state !== 'recording-only') return;
    running = true;
    clearTimeout(timer);
    const enrolled = await enrolOnce(audit);
    running = false;
    failures = enrolled ? 0 : failures + 1;
    if (!enrolled) timer = setTimeout(() => void attempt(), nextPollMs({ quiet: 0, failures }));
  };

  // Any change of the status may be the one after which it goes.
  audit.subscribe(() => {
    if (failures === 0) void attempt();
  });
  network.onChange(() => void attempt());
  globalThis.addEventListener('online', () => void attempt());
}

async function enrolOnce(audit: AuditBuffer<DemoSchemas>): Promise<boolean> {
  const served = await fetchConfig();
  if (served === null || served.enrolmentToken === null) return false;
  try {
    await audit.enrol({ type: 'token', token: served.enrolmentToken });
    return true;
  } catch (error) {
    // A refusal stands in the buffer's status, where the badge shows it; the next try asks for a fresh token.
    if (error instanceof AuditBufferError) return false;
    throw error;
  }
}
