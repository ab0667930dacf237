import { join, resolve } from 'node:path';

/** Where a data folder keeps what. */
export function dataFiles(dataDir: string): {
  readonly log: string;
  /** How far the exporter has read Kafka, and what it knows of the devices at that point. */
  readonly positions: string;
  readonly registry: string;
  readonly keys: string;
  readonly exports: string;
  /** What goes where, where no other file is named. */
  readonly routes: string;
} {
  const folder = resolve(dataDir);
  return {
    log: join(folder, 'log.sqlite'),
    positions: join(folder, 'positions.sqlite'),
    registry: join(folder, 'registry.sqlite'),
    keys: join(folder, 'keys'),
    exports: join(folder, 'export'),
    routes: join(folder, 'routes.yaml'),
  };
}
