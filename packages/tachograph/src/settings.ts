import { CONFIG_VARIABLES, loadConfig, type IngestConfig } from '@tachograph/ingest';
import { CliFailure } from './cli-failure.ts';
import { readKafka, type KafkaSettings } from './kafka-settings.ts';
import { KAFKA_VARIABLES } from './kafka-variables.ts';

export type Settings = {
  readonly config: IngestConfig;
  /** `null` is the embedded log in the data folder. */
  readonly kafka: KafkaSettings | null;
  /** Whether the demo may be served: `auto` means where only this machine can reach it. */
  readonly demo: 'auto' | 'on' | 'off';
};

export type Variable = { readonly name: string; readonly fallback: string | null; readonly meaning: string };

const DEMO: Variable = {
  name: 'DEMO',
  fallback: 'auto',
  meaning: 'The demo page and its tenant: on, off, or auto, which is on where HOST is loopback.',
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
export const SERVER_VARIABLES: readonly Variable[] = [...CONFIG_VARIABLES, ...KAFKA_VARIABLES, DEMO];

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
  const demo = env['DEMO'] || 'auto';
  if (demo !== 'auto' && demo !== 'on' && demo !== 'off') problems.push('DEMO: expected on, off or auto');
  else if (loaded.ok && problems.length === 0) return { config: loaded.value, kafka, demo };
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
