import { readFileSync } from 'node:fs';
import {
  isLoopbackHost,
  SASL_MECHANISMS,
  type KafkaSasl,
  type KafkaTls,
  type SaslMechanism,
} from '@tachograph/event-log';
import { Secret } from '@tachograph/ingest';

/** Apache Kafka as the ordered log. */
export type KafkaSettings = {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Whether to start where the topic's settings may lose events, and to send a password that can be read on the way. */
  readonly allowUnsafe: boolean;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
};

type Env = NodeJS.ProcessEnv;

const BROKER = /^[0-9A-Za-z.-]{1,253}:([1-9][0-9]{0,4})$/;
const PORT_MAX = 65_535;
// Kafka takes no topic that is called like a folder.
const TOPIC = /^(?!\.{1,2}$)[0-9A-Za-z._-]{1,249}$/;
const HOST_NAME = /^[0-9A-Za-z.-]{1,253}$/;

const TLS_FILES = {
  caFile: 'KAFKA_TLS_CA_FILE',
  certFile: 'KAFKA_TLS_CERT_FILE',
  keyFile: 'KAFKA_TLS_KEY_FILE',
  keyPassphraseFile: 'KAFKA_TLS_KEY_PASSPHRASE_FILE',
} as const;
const TLS_DETAILS = [...Object.values(TLS_FILES), 'KAFKA_TLS_SERVER_NAME'];
const SASL_DETAILS = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'];

/** The settings of Kafka, or `null` where the log is embedded; what is wrong with them joins `problems`. */
export function readKafka(env: Env, problems: string[]): KafkaSettings | null {
  const brokers = readBrokers(env, problems);
  const topic = env['KAFKA_TOPIC'] || 'audit.events';
  if (!TOPIC.test(topic)) problems.push('KAFKA_TOPIC: expected up to 249 letters, digits, dots, _ and -');
  const allowUnsafe = readSwitch(env, 'KAFKA_ALLOW_UNSAFE', problems);
  const tls = readTls(env, problems);
  const sasl = readSasl(env, problems);
  if (sasl?.mechanism === 'plain' && tls === null && !allowUnsafe && !brokers.every(isOnThisMachine))
    problems.push(
      'KAFKA_SASL_MECHANISM: plain sends the password as it is; expected KAFKA_TLS=on with it, or scram-sha-512',
    );
  if (brokers.length === 0) return null;
  return { brokers, topic, allowUnsafe, ...(tls && { tls }), ...(sasl && { sasl }) };
}

function readBrokers(env: Env, problems: string[]): readonly string[] {
  const named = env['KAFKA_BROKERS'] ?? '';
  const brokers = named
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (!brokers.every(isBroker) || (named !== '' && brokers.length === 0))
    problems.push('KAFKA_BROKERS: expected host:port, comma-separated');
  return brokers;
}

function readTls(env: Env, problems: string[]): KafkaTls | null {
  const isOn = readSwitch(env, 'KAFKA_TLS', problems);
  const given = TLS_DETAILS.filter((name) => env[name]);
  if (!isOn) {
    for (const name of given) problems.push(`${name}: expected KAFKA_TLS=on with it`);
    return null;
  }
  for (const name of given.filter((each) => each !== 'KAFKA_TLS_SERVER_NAME')) readFile(env, name, problems);
  const { certFile, keyFile, keyPassphraseFile } = TLS_FILES;
  needTogether(env, certFile, keyFile, problems);
  needTogether(env, keyFile, certFile, problems);
  if (env[keyPassphraseFile] && !env[keyFile] && !env[certFile])
    problems.push(`${keyPassphraseFile}: expected ${keyFile} with it`);
  const serverName = env['KAFKA_TLS_SERVER_NAME'];
  if (serverName && !HOST_NAME.test(serverName)) problems.push('KAFKA_TLS_SERVER_NAME: expected a host name');
  const files = Object.entries(TLS_FILES).flatMap(([key, name]) => (env[name] ? [[key, env[name]]] : []));
  return { ...Object.fromEntries(files), ...(serverName && { serverName }) };
}

function readSasl(env: Env, problems: string[]): KafkaSasl | null {
  const mechanism = env['KAFKA_SASL_MECHANISM'];
  if (!mechanism) {
    for (const name of SASL_DETAILS.filter((each) => env[each]))
      problems.push(`${name}: expected KAFKA_SASL_MECHANISM with it`);
    return null;
  }
  const known = SASL_MECHANISMS.find((each) => each === mechanism.toLowerCase());
  if (known === undefined)
    problems.push(`KAFKA_SASL_MECHANISM: expected one of ${SASL_MECHANISMS.join(', ')}`);
  return readUser(env, known ?? 'scram-sha-512', problems);
}

function readUser(env: Env, mechanism: SaslMechanism, problems: string[]): KafkaSasl | null {
  const username = env['KAFKA_SASL_USERNAME'];
  if (!username) problems.push('KAFKA_SASL_USERNAME: expected with KAFKA_SASL_MECHANISM');
  const password = readPassword(env, problems);
  return username && password !== null ? { mechanism, username, password } : null;
}

function readPassword(env: Env, problems: string[]): Secret | null {
  const [value, file] = [env['KAFKA_SASL_PASSWORD'], env['KAFKA_SASL_PASSWORD_FILE']];
  if (value && file) {
    problems.push('KAFKA_SASL_PASSWORD_FILE: expected without KAFKA_SASL_PASSWORD');
    return null;
  }
  if (value) return new Secret(value);
  if (!file) {
    problems.push('KAFKA_SASL_PASSWORD: expected with KAFKA_SASL_MECHANISM, or KAFKA_SASL_PASSWORD_FILE');
    return null;
  }
  const text = readFile(env, 'KAFKA_SASL_PASSWORD_FILE', problems);
  if (text === null) return null;
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') problems.push('KAFKA_SASL_PASSWORD_FILE: expected the password in its first line');
  return line === '' ? null : new Secret(line);
}

function readFile(env: Env, name: string, problems: string[]): string | null {
  try {
    return readFileSync(env[name] ?? '', 'utf8');
  } catch {
    problems.push(`${name}: expected the path of a file that can be read`);
    return null;
  }
}

function needTogether(env: Env, given: string, missing: string, problems: string[]): void {
  if (env[given] && !env[missing]) problems.push(`${missing}: expected with ${given}`);
}

/** A setting that is on or off; `true` and `false` are what other programs call it. */
function readSwitch(env: Env, name: string, problems: string[]): boolean {
  const value = env[name] || 'off';
  if (!['on', 'off', 'true', 'false'].includes(value)) problems.push(`${name}: expected on or off`);
  return value === 'on' || value === 'true';
}

function isBroker(text: string): boolean {
  const port = BROKER.exec(text)?.[1];
  return port !== undefined && Number(port) <= PORT_MAX;
}

function isOnThisMachine(broker: string): boolean {
  return isLoopbackHost(broker.split(':')[0] ?? '');
}
