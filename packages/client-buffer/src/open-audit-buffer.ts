import type { AuditBuffer, BufferConfig } from './audit-buffer.ts';
import type { EventSchemas } from './define-events.ts';
import { AuditBufferError } from './errors.ts';

/** Opens the buffer of one tenant, at once. */
export function openAuditBuffer<Schemas extends EventSchemas>(
  config: BufferConfig<Schemas>,
): AuditBuffer<Schemas> {
  throw new AuditBufferError('ERR_INTERNAL', `the engine behind ${config.authority} is not connected yet`);
}
