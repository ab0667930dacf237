export { formatEdge, parseEdge } from './edge.ts';
export {
  inTransaction,
  openSqlite,
  type SqliteDatabase,
  type SqliteStatement,
  type SqlRow,
  type SqlValue,
} from './embedded/sqlite.ts';
export { AppendAssembler, type AssembledRun, type BrokenRun, type LoggedAppend } from './filter/append.ts';
export { decide, type Decision, type Evidence, type LeafWindow } from './filter/decide.ts';
export { murmur2, partitionOf } from './partition.ts';
export type {
  AppendOutcome,
  EventLog,
  GroupHandler,
  GroupReader,
  LogDescription,
  StateChanges,
} from './port.ts';
export { HEADER, REJECTED_TYPE, type LogRecord, type RecordHeaders, type StoredRecord } from './record.ts';
