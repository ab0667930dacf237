import { CONFIG_VARIABLES, loadConfig, type IngestConfig } from '@tachograph/ingest';
import { DEFAULT_ROUTE, FORMAT_NAMES, isFormatName, type FormatName } from '@tachograph/siem-export';
import { CliFailure } from './cli-failure.ts';
import { readKafka, type KafkaSettings } from './kafka-settings.ts';
import { KAFKA_VARIABLES } from './kafka-variables.ts';

export type Settings = {
  readonly config: IngestConfig;
  /** `null` is the embedded log in the data folder. */
  readonly kafka: KafkaSettings | null;
  /** How the exporter writes an event. */
  readonly exportFormat: FormatName;
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
  meaning: `How the feed is written: ${FORMATS}. The demo page shows cloudevents only.`,
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
    return { config: loaded.value, kafka, exportFormat, demo };
  throw new CliFailure(
    `The configuration is not valid (ERR_CONFIG): ${problems.length === 1 ? 'one setting is' : `${problems.length} settings are`} wrong.`,
    problems,
  );
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
