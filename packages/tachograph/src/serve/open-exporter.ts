import { startExporter, type Exporter, type ExporterOptions } from '@tachograph/siem-export';
import { CliFailure } from '../cli-failure.ts';
import type { Closers } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import { errorMessage } from '../error-code.ts';
import { RoutesKeeper } from '../routes/routes-keeper.ts';
import type { TenantDirectory } from '../routes/tenant-directory.ts';
import { watchRoutes } from '../routes/watch-routes.ts';
import { cosignerKeys } from './keys.ts';
import type { Workplace } from './server.ts';

export type RunningExporter = Pick<Exporter, 'status' | 'metrics'>;

/**
 * The exporter with the routes of their file, kept in step with it.
 *
 * @throws CliFailure where the file has problems, or another process exports into the folder
 */
export async function openExporter(
  { dataDir, logger, settings }: Workplace,
  log: ExporterOptions['log'],
  directory: TenantDirectory,
  closers: Closers,
): Promise<RunningExporter> {
  const { routes: origin, config } = settings;
  const keeper = await RoutesKeeper.open(origin, directory, logger);
  const exportDir = dataFiles(dataDir).exports;
  const exporter = startedOrFailure({
    log,
    routes: keeper.routes,
    exportDir,
    cosignerKeys: () => cosignerKeys(dataDir, config.authority),
    logger,
  });
  closers.add(() => exporter.close());
  const stopWatching = watchRoutes(origin.file, () => void keeper.look(exporter));
  closers.add(async () => {
    stopWatching();
    // What is under way ends before the exporter does.
    await keeper.settled();
  });
  return {
    status: () => exporter.status(),
    metrics: async () => `${await exporter.metrics()}${keeper.metrics()}`,
  };
}

function startedOrFailure(options: ExporterOptions): Exporter {
  try {
    return startExporter(options);
  } catch (error) {
    throw new CliFailure(errorMessage(error), ['Stop the other one, or name another folder with DATA_DIR.'], {
      cause: error,
    });
  }
}
