import { CONFIG_VARIABLES, loadConfig, type IngestConfig } from '@tachograph/ingest';
import { CliFailure } from './cli-failure.ts';

/** Apache Kafka as the ordered log. */
export type KafkaSettings = {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Whether to start where the topic's settings may lose events. */
  readonly allowUnsafe: boolean;
};

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

const KAFKA: readonly Variable[] = [
  {
    name: 'KAFKA_BROKERS',
    fallback: '',
    meaning:
      'Apache Kafka as the ordered log: host:port of its brokers, comma-separated. Unset, the log is embedded.',
  },
  { name: 'KAFKA_TOPIC', fallback: 'audit.events', meaning: 'The topic that is the ordered log.' },
  {
    name: 'KAFKA_ALLOW_UNSAFE',
    fallback: 'off',
    meaning: 'on starts also where the settings of the topic may lose events, such as a single replica.',
  },
];

const BROKER = /^[0-9A-Za-z.-]{1,253}:([1-9][0-9]{0,4})$/;
const PORT_MAX = 65_535;
// Kafka takes no topic that is called like a folder.
const TOPIC = /^(?!\.{1,2}$)[0-9A-Za-z._-]{1,249}$/;

/** What the admin commands read beside the settings of a server. */
export const CLIENT_VARIABLES: readonly Variable[] = [
  {
    name: 'TACHOGRAPH_URL',
    fallback: 'http://localhost:PORT',
    meaning: 'The server that admin commands talk to.',
  },
];

/** Every variable that a server reads, in the order of help. */
export const SERVER_VARIABLES: readonly Variable[] = [...CONFIG_VARIABLES, ...KAFKA, DEMO];

/**
 * Reads the settings of a server.
 *
 * @throws CliFailure with every problem at once, never with a value that was found.
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const loaded = loadConfig(env);
  const problems = loaded.ok ? [] : loaded.problems.map((row) => `${row.variable}: expected ${row.expected}`);
  const kafka = readKafka(env, problems);
  const demo = env['DEMO'] || 'auto';
  if (demo !== 'auto' && demo !== 'on' && demo !== 'off') problems.push('DEMO: expected on, off or auto');
  else if (loaded.ok && problems.length === 0) return { config: loaded.value, kafka, demo };
  throw new CliFailure(
    `The configuration is not valid (ERR_CONFIG): ${problems.length === 1 ? 'one setting is' : `${problems.length} settings are`} wrong.`,
    problems,
  );
}

function isBroker(text: string): boolean {
  const port = BROKER.exec(text)?.[1];
  return port !== undefined && Number(port) <= PORT_MAX;
}

/** The settings of Kafka, or `null` where the log is embedded; what is wrong with them joins `problems`. */
function readKafka(env: NodeJS.ProcessEnv, problems: string[]): KafkaSettings | null {
  const named = env['KAFKA_BROKERS'] ?? '';
  const brokers = named
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const topic = env['KAFKA_TOPIC'] || 'audit.events';
  const unsafe = env['KAFKA_ALLOW_UNSAFE'] || 'off';
  if (!brokers.every(isBroker) || (named !== '' && brokers.length === 0))
    problems.push('KAFKA_BROKERS: expected host:port, comma-separated');
  if (!TOPIC.test(topic)) problems.push('KAFKA_TOPIC: expected up to 249 letters, digits, dots, _ and -');
  if (unsafe !== 'on' && unsafe !== 'off') problems.push('KAFKA_ALLOW_UNSAFE: expected on or off');
  return brokers.length === 0 ? null : { brokers, topic, allowUnsafe: unsafe === 'on' };
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
