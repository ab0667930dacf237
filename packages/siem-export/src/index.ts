export { startExporter, type Exporter, type ExporterOptions, type ExporterStatus } from './exporter.ts';
export { readExportTail } from './export-tail.ts';
export { DEFAULT_ROUTE, parseRoutes, type Route, type RouteInput } from './route.ts';
export { FORMAT_NAMES, isFormatName, type FormatName } from './formats/registry.ts';
export type { RouteStatus } from './engine/route-runner.ts';
export type { RouteCounts } from './engine/counts.ts';
export type { Clock, Logger } from './runtime.ts';
