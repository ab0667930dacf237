import { createIngest, createLogger, createMetrics, Secret, type Ingest } from '@tachograph/ingest';
import { pino } from 'pino';
import { adminToken, type StoredToken } from '../admin-token.ts';
import { opening, type Closers } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import { lockFolder } from '../folder-lock.ts';
import { registryDirectory } from '../routes/tenant-directory.ts';
import type { Settings } from '../settings.ts';
import type { Started } from './banner.ts';
import { makeDataFolder, openRegistry } from './data-folder.ts';
import { demoPagesBuilt, serveDemo } from './demo-pages.ts';
import { controlCall, DEMO_TENANT, ensureDemoTenant } from './demo-tenant.ts';
import { directiveKeys, ensureKeys, ingestKeys } from './keys.ts';
import { isLoopback, listen } from './listen.ts';
import { openExporter, type RunningExporter } from './open-exporter.ts';
import { openLog } from './open-log.ts';

/** What a server of this process works with. */
export type Workplace = {
  readonly settings: Settings;
  readonly dataDir: string;
  readonly logger: ReturnType<typeof createLogger>;
};

/** Starts everything in one process: ingest, control and export over one folder. */
export async function startServer(
  settings: Settings,
): Promise<Started & { readonly close: () => Promise<void> }> {
  return opening(async (closers) => {
    const workplace = workplaceOf(settings);
    const { dataDir } = workplace;
    const lock = lockFolder(dataDir, ['ingest', 'control']);
    closers.add(lock.release);
    await ensureKeys(dataDir, settings.config.authority);
    const token = adminToken(dataDir, settings.config.adminToken?.reveal());
    const { ingest, exporter } = await openAll(workplace, token, closers);
    const demo = await addDemo(ingest, workplace, token);
    const url = await listen(ingest.app, settings.config.host, settings.config.port);
    await ingest.ready();
    workplace.logger.info({ url, routes: exporter.status().routes.length }, 'server.started');
    return {
      url,
      demo,
      dataDir,
      exportDir: dataFiles(dataDir).exports,
      newToken: token.created ? token.token : null,
      tokenFile: token.file,
    };
  });
}

/** Log and registry below, then the exporter, then ingest: closed the other way round, so ingest settles first. */
async function openAll(
  workplace: Workplace,
  token: StoredToken,
  closers: Closers,
): Promise<{ ingest: Ingest; exporter: RunningExporter }> {
  const { dataDir, logger, settings } = workplace;
  const { authority } = settings.config;
  const log = await openLog(settings.kafka, dataDir, closers);
  const registry = await openRegistry({ ...settings.config, dataDir }, closers);
  const exporter = await openExporter(workplace, log, registryDirectory(registry), closers);
  const own = createMetrics({ withProcess: true });
  const ingest = await createIngest({
    config: { ...settings.config, dataDir, adminToken: new Secret(token.token) },
    log,
    registry,
    keys: await ingestKeys(dataDir, authority),
    directives: await directiveKeys(dataDir, authority),
    logger,
    metrics: {
      ...own,
      exposition: async () => `${await own.exposition()}${await exporter.metrics()}`,
    },
  });
  closers.add(ingest.close);
  return { ingest, exporter };
}

export function workplaceOf(settings: Settings): Workplace {
  const dataDir = makeDataFolder(settings.config.dataDir);
  // What a person reads goes to stdout; the log has stderr to itself.
  const logger = createLogger({ level: settings.config.logLevel, destination: pino.destination(2) });
  return { settings, dataDir, logger };
}

async function addDemo(ingest: Ingest, workplace: Workplace, token: StoredToken): Promise<Started['demo']> {
  const { settings, dataDir } = workplace;
  const { host, authority } = settings.config;
  const loopbackOnly = isLoopback(host);
  if (settings.demo === 'off' || (settings.demo === 'auto' && !loopbackOnly)) return 'off';
  const built = demoPagesBuilt();
  const call = controlCall(ingest.app, token.token);
  await serveDemo(ingest.app, {
    authority,
    tenant: DEMO_TENANT,
    directiveKey: ingest.context.keys.directiveKey,
    exportDir: dataFiles(dataDir).exports,
    call,
    loopbackOnly,
  });
  await ensureDemoTenant(call);
  return built ? 'served' : 'not built';
}
