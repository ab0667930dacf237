export { startExporter, type Exporter, type ExporterOptions, type ExporterStatus } from './exporter.ts';
export { readExportTail } from './export-tail.ts';
export { deadLettersStem, DEFAULT_ROUTE, parseRoutes, type Route, type RouteInput } from './route.ts';
export { describeRoute, type DescribedRoute } from './routes-file/described-route.ts';
export { expandRoutes, type KnownTenant } from './routes-file/expand-routes.ts';
export { describeProblem, type RoutesProblem } from './routes-file/problem.ts';
export { readRoutesFile } from './routes-file/written-routes.ts';
export { probeRoute } from './probe/probe.ts';
export { EXPORT_LIMITS } from './limits.ts';
export { FORMAT_NAMES, isFormatName, type FormatName } from './formats/registry.ts';
export { EXPORT_GROUP, type FeedStatus } from './engine/engine.ts';
export type { RouteStatus } from './engine/route-runner.ts';
export type { RouteCounts } from './engine/counts.ts';
export { DeadLetterFile, type StoredLetter } from './operations/dead-letter-file.ts';
export { openBeside, type Beside } from './operations/open-beside.ts';
export { readAgain, type ReplayChunk, type ReplayRange } from './operations/replay.ts';
export { sendAlong, type Sent } from './operations/send-along.ts';
export { testEvent } from './operations/test-event.ts';
export { proveEvent, type ProvenEvent } from './proof/prove.ts';
export { FINDINGS, type Finding, type FindingKind } from './verify/finding.ts';
export { fileSource } from './verify/sources/file-source.ts';
export { routeSource } from './verify/sources/route-source.ts';
export { logSource } from './verify/sources/log-source.ts';
export { receiptSeconds } from './engine/receipts.ts';
export type { FeedSource } from './verify/feed-entry.ts';
export {
  exitCodeOf,
  UNREADABLE_CODE,
  verifyFeed,
  type FeedReport,
  type LogReport,
} from './verify/verifier.ts';
export type { Clock, Logger } from './runtime.ts';
