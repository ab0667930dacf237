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
  OfflineAccess,
  RecordedEntry,
} from './audit-buffer.ts';
export { defineEvents, type DataOf, type EventDefinitions, type EventSchemas } from './define-events.ts';
export { AuditBufferError } from './errors.ts';
export { openAuditBuffer } from './open-audit-buffer.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts';
