import { AuditBufferError, type AuditBuffer } from '@tachograph/client-buffer';
import { nextPollMs } from './core/poll.ts';
import { fetchEnrolmentToken } from './demo-server.ts';
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
    const token = await fetchEnrolmentToken();
    const enrolled = token !== null && (await enrolOnce(audit, token));
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

/** Enrols this browser as a new device, once the log of the revoked one is sent and closed. Says whether it worked. */
export async function startOver(audit: AuditBuffer<DemoSchemas>): Promise<boolean> {
  const token = await fetchEnrolmentToken();
  return token !== null && (await enrolOnce(audit, token));
}

async function enrolOnce(audit: AuditBuffer<DemoSchemas>, token: string): Promise<boolean> {
  try {
    await audit.enrol({ type: 'token', token });
    return true;
  } catch (error) {
    // No connection, or a refusal: the queue is kept, and the badge says that the device is not enrolled.
    if (error instanceof AuditBufferError) return false;
    throw error;
  }
}
