import { CONFIG_VARIABLES, loadConfig, type IngestConfig } from '@tachograph/ingest';
import { DEFAULT_ROUTE, FORMAT_NAMES, isFormatName, type FormatName } from '@tachograph/siem-export';
import { CliFailure } from './cli-failure.ts';
import { dataFiles } from './data-files.ts';
import { readKafka, type KafkaSettings } from './kafka-settings.ts';
import { KAFKA_VARIABLES } from './kafka-variables.ts';
import type { RoutesOrigin } from './routes/load-routes.ts';

export type Settings = {
  readonly config: IngestConfig;
  /** `null` is the embedded log in the data folder. */
  readonly kafka: KafkaSettings | null;
  /** Where the exporter's routes come from. */
  readonly routes: RoutesOrigin;
  /** Whether the demo may be served: `auto` means where only this machine can reach it. */
  readonly demo: 'auto' | 'on' | 'off';
};

export type Variable = { readonly name: string; readonly fallback: string | null; readonly meaning: string };

const DEMO: Variable = {
  name: 'DEMO',
  fallback: 'auto',
  meaning: 'The demo page and its tenant: on, off, or auto, which is on where HOST is loopback.',
};

const FORMATS = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(FORMAT_NAMES);

const EXPORT_FORMAT: Variable = {
  name: 'EXPORT_FORMAT',
  fallback: DEFAULT_ROUTE.format,
  meaning: `How the feed is written where there is no file of routes: ${FORMATS}. The demo page shows cloudevents only.`,
};

const ROUTES_FILE: Variable = {
  name: 'ROUTES_FILE',
  fallback: 'DATA_DIR/routes.yaml',
  meaning:
    'Which events go where, read anew when it changes. Where there is no such file, all go to DATA_DIR/export.',
};

/** What the admin commands read beside the settings of a server. */
export const CLIENT_VARIABLES: readonly Variable[] = [
  {
    name: 'TACHOGRAPH_URL',
    fallback: 'http://localhost:PORT',
    meaning: 'The server that admin commands talk to.',
  },
];

/** Every variable that a server reads, in the order of help. */
export const SERVER_VARIABLES: readonly Variable[] = [
  ...CONFIG_VARIABLES,
  ...KAFKA_VARIABLES,
  ROUTES_FILE,
  EXPORT_FORMAT,
  DEMO,
];

/**
 * Reads the settings of a server.
 *
 * @throws CliFailure with every problem at once, never with a value that was found.
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const loaded = loadConfig(env);
  const problems = loaded.ok ? [] : loaded.problems.map((row) => `${row.variable}: expected ${row.expected}`);
  const kafka = readKafka(env, problems);
  if (loaded.ok && loaded.value.databaseUrl !== null && !env['KAFKA_BROKERS'])
    problems.push(
      'DATABASE_URL: expected beside KAFKA_BROKERS only: nodes that share a registry share the log',
    );
  const exportFormat = env['EXPORT_FORMAT'] || DEFAULT_ROUTE.format;
  if (!isFormatName(exportFormat)) problems.push(`EXPORT_FORMAT: expected ${FORMATS}`);
  const demo = env['DEMO'] || 'auto';
  if (demo !== 'auto' && demo !== 'on' && demo !== 'off') problems.push('DEMO: expected on, off or auto');
  else if (loaded.ok && isFormatName(exportFormat) && problems.length === 0)
    return { config: loaded.value, kafka, routes: routesOrigin(env, loaded.value, exportFormat), demo };
  throw new CliFailure(
    `The configuration is not valid (ERR_CONFIG): ${problems.length === 1 ? 'one setting is' : `${problems.length} settings are`} wrong.`,
    problems,
  );
}

function routesOrigin(env: NodeJS.ProcessEnv, { dataDir }: IngestConfig, format: FormatName): RoutesOrigin {
  const named = env['ROUTES_FILE'] || null;
  return { file: named ?? dataFiles(dataDir).routes, named: named !== null, format };
}

/** A section of help on environment variables. */
export function environmentHelp(variables: readonly Variable[]): string {
  const width = Math.max(...variables.map(({ name }) => name.length));
  const lines = variables.map(({ name, fallback, meaning }) => {
    const value = fallback === null || fallback === '' ? '' : ` [${fallback}]`;
    return `  ${name.padEnd(width)}  ${meaning}${value}`;
  });
  return `\nEnvironment [default]:\n${lines.join('\n')}`;
}
