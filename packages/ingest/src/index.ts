export {
  CONFIG_VARIABLES,
  loadConfig,
  type ConfigProblem,
  type ConfigVariable,
  type IngestConfig,
} from './config.ts';
export { createTenant } from './control/tenants.ts';
export { createKeys } from './keys/create-keys.ts';
export { loadDirectiveKeys } from './keys/directive-key.ts';
export { beginRotation, endRotation, ROTATING_KEYS, type RotatingKey } from './keys/rotation.ts';
export { readKeysNotes, type SignedKeys } from './keys/keys-notes.ts';
export { LAYOUT } from './keys/layout.ts';
export { loadIngestKeys, type LoadedKeys } from './keys/load-keys.ts';
export { acceptLosses, findLosses, type PartitionLosses } from './lane/losses.ts';
export { createLogger } from './logging.ts';
export { createMetrics, type IngestMetrics } from './metrics.ts';
export { lookAtPostgresRegistry, openPostgresRegistry } from './registry/postgres-registry.ts';
export { placeOf as databasePlace } from './registry/postgres-url.ts';
export { lookAtSqliteRegistry, openSqliteRegistry, type Registry } from './registry/registry.ts';
export { createIngest, type Ingest, type IngestOptions } from './server.ts';
export { createTenantLog } from './tenant-log/outbox.ts';
export { Secret } from './secret.ts';
