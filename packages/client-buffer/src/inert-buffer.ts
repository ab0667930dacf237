import type { AuditBuffer, BufferConfig, BufferStatus } from './audit-buffer.ts';
import { ledgerOf } from './core/status.ts';
import { EMPTY_ROWS } from './core/rows.ts';
import { validateData, type EventSchemas } from './define-events.ts';
import { EntryGroup } from './entry-group.ts';
import { AuditBufferError } from './errors.ts';
import { ignorable } from './typed-buffer.ts';

/**
 * The buffer of a server that renders a page: the same modules load and the same calls work, nothing is recorded, and
 * each promise says so to whoever awaits it.
 */
export function inertBuffer<Schemas extends EventSchemas>({
  events,
}: BufferConfig<Schemas>): AuditBuffer<Schemas> {
  const error = new AuditBufferError('ERR_NO_BROWSER', 'there is no IndexedDB here: nothing is recorded');
  const status: BufferStatus = {
    state: 'failed',
    ledger: ledgerOf(EMPTY_ROWS, 0, 0),
    origin: null,
    receipt: null,
    purge: null,
    problem: { code: error.code, detail: error.detail },
  };
  return {
    record(action, details) {
      validateData(events, action, details.data);
      const group = new EntryGroup();
      const entry = group.add('', new Uint8Array(), 0);
      group.failed(error);
      return entry;
    },
    enrol: () => ignorable(Promise.reject(error)),
    flush: () => ignorable(Promise.reject(error)),
    offlineAccess: () => ignorable(Promise.reject(error)),
    cacheKey: () => ignorable(Promise.reject(error)),
    reportInventory: () => ignorable(Promise.reject(error)),
    subscribe(listener) {
      listener(status);
      return () => undefined;
    },
    status: () => status,
    close: () => Promise.resolve(),
  };
}
