import type { AuditBuffer, BufferConfig } from './audit-buffer.ts';
import { validateData, type EventSchemas } from './define-events.ts';
import type { Engine } from './engine.ts';

/** The typed face of an engine: checks data against the app's own definitions. */
export function bufferOver<Schemas extends EventSchemas>(
  engine: Engine,
  { events }: Pick<BufferConfig<Schemas>, 'events'>,
  close: () => Promise<void>,
): AuditBuffer<Schemas> {
  return {
    record: (action, details) => engine.record(action, details, validateData(events, action, details.data)),
    enrol: (credential) => engine.enrol(credential),
    subscribe: (listener) => engine.subscribe(listener),
    status: () => engine.status(),
    flush: () => engine.flush(),
    offlineAccess: (request) => engine.offlineAccess(request),
    close,
  };
}
