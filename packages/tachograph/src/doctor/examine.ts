import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { openSqliteRegistry, type Registry } from '@tachograph/ingest';
import type { KnownTenant } from '@tachograph/siem-export';
import { CliFailure } from '../cli-failure.ts';
import { dataFiles } from '../data-files.ts';
import { lockHolder } from '../folder-lock.ts';
import { registryDirectory } from '../routes/tenant-directory.ts';
import { openKafka } from '../serve/open-log.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { errorMessage } from '../error-code.ts';
import { checkClock } from './check-clock.ts';
import { checkDataDir, checkDisk } from './check-data-dir.ts';
import { checkKeys } from './check-keys.ts';
import { checkLog, checkRegistry, newestReceived } from './check-log.ts';
import { checkPort } from './check-port.ts';
import { checkRoutes } from './check-routes.ts';
import { checkSecretFiles } from './check-secret-files.ts';
import { bad, good, note, type Finding, type Opened } from './check.ts';
import { lookAtDatabase } from './look-at-database.ts';

/**
 * Looks at everything that a server on this machine needs, and changes nothing of it. A server may be running
 * meanwhile.
 */
export async function examine(env: NodeJS.ProcessEnv, nowMs: number): Promise<Finding[]> {
  const runtime = checkRuntime(process.versions.node);
  let settings: Settings;
  try {
    settings = loadSettings(env);
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    return [runtime, bad('configuration', error.message, ...error.mend)];
  }
  const { config } = settings;
  const configuration = good('configuration', `authority ${config.authority}, port ${config.port}`);
  const folder = await checkDataDir(config.dataDir);
  if (folder.state === 'bad') {
    return [runtime, configuration, folder, await checkPort(config.host, config.port, null)];
  }
  const disk = await checkDisk(config.dataDir);
  const port = await checkPort(config.host, config.port, runningServer(config.dataDir));
  const secrets = checkSecretFiles(config.dataDir);
  const { findings: kept, tenants } = await examineKept(settings, nowMs);
  const routes = await checkRoutes(settings, tenants, env);
  // Keys that cannot be read are told once, as files.
  const keys = secrets.state === 'bad' ? [] : [await checkKeys(config.dataDir, config.authority)];
  return [runtime, configuration, folder, disk, port, secrets, ...keys, ...kept, ...routes];
}

function checkRuntime(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19)
    ? good('node', version)
    : bad('node', version, 'Install Node 20.19 or newer.');
}

function runningServer(dataDir: string): number | null {
  return existsSync(join(dataDir, 'locks', 'ingest.sqlite')) ? lockHolder(dataDir, 'ingest') : null;
}

type Kept = {
  readonly findings: readonly Finding[];
  /** `null` where nobody can say. */
  readonly tenants: readonly KnownTenant[] | null;
};

/** Log, registry and clock, as far as there is something to look at: opening what is missing would make it. */
async function examineKept(settings: Settings, nowMs: number): Promise<Kept> {
  const files = dataFiles(settings.config.dataDir);
  const log = await tryOpenLog(settings, files.log);
  const registry = await openKeptRegistry(settings, files.registry);
  try {
    const findings = await findingsOf(log, registry, { nowMs, authority: settings.config.authority });
    return { findings, tenants: await tenantsIn(registry) };
  } finally {
    if (log?.opened === true) await log.value.close();
    if (registry?.opened === true) await registry.value.close();
  }
}

async function tenantsIn(registry: Opened<Registry> | null): Promise<Kept['tenants']> {
  if (registry?.opened !== true) return null;
  // Why it cannot be read is a finding already.
  return registryDirectory(registry.value)
    .tenants()
    .catch(() => null);
}

async function tryOpenLog({ kafka }: Settings, file: string): Promise<Opened<EventLog> | null> {
  if (kafka === null) return existsSync(file) ? tryOpen('log', () => openEmbeddedLog({ file })) : null;
  try {
    return { opened: true, value: await openKafka(kafka, {}) };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    return { opened: false, finding: bad('log', error.message, ...error.mend) };
  }
}

async function openKeptRegistry({ config }: Settings, file: string): Promise<Opened<Registry> | null> {
  if (config.databaseUrl !== null) return lookAtDatabase(config.databaseUrl);
  return existsSync(file) ? tryOpen('registry', () => openSqliteRegistry(file)) : null;
}

async function findingsOf(
  log: Opened<EventLog> | null,
  registry: Opened<Registry> | null,
  { nowMs, authority }: { readonly nowMs: number; readonly authority: string },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (log === null) findings.push(note('log', 'none yet: it is made at the first start'));
  else findings.push(log.opened ? await checkLog(log.value) : log.finding);
  if (registry === null) findings.push(note('registry', 'none yet: it is made at the first start'));
  else if (!registry.opened) findings.push(registry.finding);
  else if (log?.opened === true) findings.push(await checkRegistry(registry.value, log.value, authority));
  const newest = registry?.opened === true ? await newestReceived(registry.value).catch(() => null) : null;
  return [...findings, checkClock(nowMs, newest)];
}

async function tryOpen<T>(check: string, open: () => Promise<T>): Promise<Opened<T>> {
  try {
    return { opened: true, value: await open() };
  } catch (error) {
    return {
      opened: false,
      finding: bad(
        check,
        `it cannot be opened: ${errorMessage(error)}`,
        'Check the disk and who owns the file, else restore it from a backup.',
      ),
    };
  }
}
