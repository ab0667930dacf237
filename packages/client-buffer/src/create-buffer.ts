import type { Adapters } from './adapters.ts';
import type { AuditBuffer, BufferConfig } from './audit-buffer.ts';
import { checkNames } from './buffer-names.ts';
import { validateData, type EventSchemas } from './define-events.ts';
import { Engine } from './engine.ts';

/** A buffer with the adapters given, for tests and for other runtimes. */
export function createBuffer<Schemas extends EventSchemas>(
  config: BufferConfig<Schemas>,
  adapters: Adapters,
): AuditBuffer<Schemas> {
  const engine = new Engine(config, checkNames(config), adapters);
  return bufferOver(engine, config, () => engine.close());
}

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
