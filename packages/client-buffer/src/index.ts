export type {
  AuditBuffer,
  BufferConfig,
  BufferState,
  BufferStatus,
  Credential,
  EnrolmentStatus,
  EntryPlace,
  EntryReceipt,
  EventDetails,
  Ledger,
  RecordedEntry,
} from './audit-buffer.ts';
export { defineEvents, type DataOf, type EventDefinitions, type EventSchemas } from './define-events.ts';
export { AuditBufferError } from './errors.ts';
export type {
  CacheHolding,
  CacheHooks,
  CacheKeyAccess,
  CacheScope,
  LeaseTimes,
  OfflineAccess,
  OfflineRefusal,
  PurgeCounts,
  PurgeStatus,
} from './offline-types.ts';
export { openAuditBuffer } from './open-audit-buffer.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts';
