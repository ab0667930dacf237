export {
  CONFIG_VARIABLES,
  loadConfig,
  type ConfigProblem,
  type ConfigVariable,
  type IngestConfig,
} from './config.ts';
export { openSqliteRegistry, type Registry } from './registry/registry.ts';
export { createIngest, type Ingest, type IngestOptions } from './server.ts';
export { createTenantLog } from './tenant-log/outbox.ts';
export { Secret } from './secret.ts';
