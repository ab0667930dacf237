import { createIngest, createMetrics } from '@tachograph/ingest';
import { CliFailure } from '../cli-failure.ts';
import { opening } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import { lockFolder, type Role } from '../folder-lock.ts';
import { sharedDirectory } from '../routes/tenant-directory.ts';
import type { Settings } from '../settings.ts';
import { openRegistry } from './data-folder.ts';
import { cosignerKeys, directiveKeys, ingestKeys, keysNotes } from './keys.ts';
import { listen } from './listen.ts';
import { openLog } from './open-log.ts';
import { openExporter } from './open-exporter.ts';
import { workplaceOf } from './server.ts';

/**
 * Starts ingest or control alone. Both read the log to its end and fold it into the registry; only control reads
 * the directive key, and only ingest answers devices.
 */
export async function startRole(
  settings: Settings,
  role: Role,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const { config } = settings;
  if (role === 'control' && config.adminToken === null) {
    throw new CliFailure('The control API needs an administrator token.', ['Name it with ADMIN_TOKEN.']);
  }
  return opening(async (closers) => {
    const { dataDir, logger } = workplaceOf(settings);
    const lock = lockFolder(dataDir, [role]);
    closers.add(lock.release);
    // First, because it tells what to do where there are none.
    await keysNotes(dataDir, config.authority);
    const keys = await ingestKeys(dataDir, config.authority);
    const directives = role === 'control' ? await directiveKeys(dataDir, config.authority) : [];
    const log = await openLog(settings.kafka, dataDir, closers);
    const registry = await openRegistry({ ...config, dataDir }, closers);
    const metrics = createMetrics({ withProcess: true });
    const devices = role === 'ingest';
    const own = { ...config, dataDir };
    const ingest = await createIngest({
      config: own,
      log,
      registry,
      keys,
      directives,
      devices,
      logger,
      metrics,
    });
    closers.add(ingest.close);
    const url = await listen(ingest.app, config.host, config.port);
    await ingest.ready();
    return { url };
  });
}

/** Starts the exporter alone. */
export async function startExport(
  settings: Settings,
): Promise<{ readonly exportDir: string; readonly close: () => Promise<void> }> {
  return opening(async (closers) => {
    const workplace = workplaceOf(settings);
    // Asked once here, so that missing keys are told at the start and not with the first receipt.
    await cosignerKeys(workplace.dataDir, settings.config.authority);
    const log = await openLog(settings.kafka, workplace.dataDir, closers);
    const directory = sharedDirectory(settings.config);
    closers.add(directory.close);
    await openExporter(workplace, log, directory, closers);
    return { exportDir: dataFiles(workplace.dataDir).exports };
  });
}
