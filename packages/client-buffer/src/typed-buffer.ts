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
    enrol: (credential) => ignorable(engine.enrol(credential)),
    subscribe: (listener) => engine.subscribe(listener),
    status: () => engine.status(),
    flush: () => ignorable(engine.flush()),
    offlineAccess: ({ scope }) => ignorable(engine.offlineAccess(scope)),
    cacheKey: ({ scope }) => ignorable(engine.cacheKey(scope)),
    reportInventory: () => ignorable(engine.reportInventory()),
    close: () => ignorable(close()),
  };
}

/** Whoever awaits the promise sees its rejection; whoever ignores it gets no unhandled one (the status says it, too). */
export function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
