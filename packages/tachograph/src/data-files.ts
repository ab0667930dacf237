import { join, resolve } from 'node:path';

/** Where a data folder keeps what. */
export function dataFiles(dataDir: string): {
  readonly log: string;
  readonly registry: string;
  readonly keys: string;
  readonly exports: string;
} {
  const folder = resolve(dataDir);
  return {
    log: join(folder, 'log.sqlite'),
    registry: join(folder, 'registry.sqlite'),
    keys: join(folder, 'keys'),
    exports: join(folder, 'export'),
  };
}
