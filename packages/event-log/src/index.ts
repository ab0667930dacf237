export { formatEdge, parseEdge } from './edge.ts';
export {
  inTransaction,
  openSqlite,
  type SqliteDatabase,
  type SqliteStatement,
  type SqlRow,
  type SqlValue,
} from './sqlite.ts';
export { openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from './embedded/log.ts';
export { createKafkaTopic, type TopicMade, type TopicOptions } from './kafka/create-topic.ts';
export { KafkaLog, openKafkaLog, type KafkaLogOptions } from './kafka/log.ts';
export { KafkaRefusedError, type KafkaRefusal } from './kafka/refused-error.ts';
export {
  isLoopbackHost,
  SASL_MECHANISMS,
  type KafkaSasl,
  type KafkaTls,
  type SaslMechanism,
} from './kafka/security.ts';
export { TopicUnfitError } from './kafka/topic-unfit-error.ts';
export type { TopicProblem } from './kafka/topic-settings.ts';
export type { RetentionPolicy, Trimmed } from './embedded/retention.ts';
export { AppendAssembler, type AssembledRun, type BrokenRun, type LoggedAppend } from './filter/append.ts';
export type { LogAlarm } from './filter/alarm.ts';
export { decideWithEvidence, type Decided } from './filter/decide-with-evidence.ts';
export { decide, type Decision, type Evidence, type IndexRange, type LeafWindow } from './filter/decide.ts';
export { deterministicEventId, forkEventId, gapEventId } from './filter/event-id.ts';
export {
  LogFilter,
  type FilterCounts,
  type FilteredBatch,
  type FilteredRun,
  type LogFilterOptions,
} from './filter/log-filter.ts';
export { murmur2, partitionOf } from './partition.ts';
export {
  LogMissingError,
  LogReplacedError,
  PartitionLost,
  type AppendOutcome,
  type EventLog,
  type GroupHandler,
  type GroupOptions,
  type GroupReader,
  type LogDescription,
  type StateChanges,
} from './port.ts';
export { holdsMark, markOf } from './record-mark.ts';
export { APPEND_OVERHEAD_BYTES, oversizedRecord, recordBytes } from './record-size.ts';
export { HEADER, REJECTED_TYPE, type LogRecord, type RecordHeaders, type StoredRecord } from './record.ts';
