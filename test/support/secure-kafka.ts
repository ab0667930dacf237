import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority, type Authority, type Certificate } from './certificates.ts';
import { freePort } from './free-port.ts';
import { startKafka, type KafkaBroker, type KafkaListener } from './kafka.ts';

export const USER = 'ingest';
/** What may stand in no log line and no message. */
export const PASSWORD = 'correct-horse-battery-staple';

export type SecureKafka = {
  readonly broker: KafkaBroker;
  /** Whose certificates the broker has, and takes from clients. */
  readonly authority: Authority;
  readonly client: Certificate;
  /** `host:port` of each listener, as `KAFKA_BROKERS` takes it. */
  readonly at: {
    readonly plaintext: string;
    /** TLS, and a certificate of the client is required. */
    readonly mtls: string;
    /** TLS, and a user by PLAIN or SCRAM. */
    readonly users: string;
    /** A user by PLAIN or SCRAM without TLS. */
    readonly clear: string;
    /** TLS with a certificate that has expired. */
    readonly expired: string;
    /** TLS with a certificate for `kafka.example` alone. */
    readonly named: string;
  };
};

const PROTOCOLS = {
  mtls: 'SSL',
  users: 'SASL_SSL',
  clear: 'SASL_PLAINTEXT',
  expired: 'SSL',
  named: 'SSL',
} as const;
type Way = keyof typeof PROTOCOLS;

/** One broker that can be reached in every way that clients are let in by. */
export async function startSecureKafka(folder: string): Promise<SecureKafka> {
  const certificates = join(folder, 'certificates');
  mkdirSync(certificates, { recursive: true });
  const authority = makeAuthority(certificates, 'brokers');
  const good = authority.issue('broker', ['DNS:localhost', 'IP:127.0.0.1']);
  const shown: Readonly<Record<Way, Certificate>> = {
    mtls: good,
    users: good,
    clear: good,
    expired: authority.issue('expired', ['DNS:localhost', 'IP:127.0.0.1'], -1),
    named: authority.issue('named', ['DNS:kafka.example']),
  };
  const listeners: KafkaListener[] = [];
  for (const way of waysOf(PROTOCOLS))
    listeners.push({ name: way.toUpperCase(), protocol: PROTOCOLS[way], port: await freePort() });
  const broker = await startKafka({
    folder,
    listeners,
    properties: Object.assign({}, ...waysOf(shown).map((way) => settingsOf(way, shown[way], authority))),
    formatArgs: [256, 512].flatMap((bits) => [
      '--add-scram',
      `SCRAM-SHA-${bits}=[name=${USER},password=${PASSWORD}]`,
    ]),
  });
  const address = (way: Way): string =>
    `127.0.0.1:${listeners.find(({ name }) => name === way.toUpperCase())?.port}`;
  return {
    broker,
    authority,
    client: authority.issue('client', []),
    at: {
      plaintext: broker.address,
      mtls: address('mtls'),
      users: address('users'),
      clear: address('clear'),
      expired: address('expired'),
      named: address('named'),
    },
  };
}

function settingsOf(way: Way, { both }: Certificate, { cert }: Authority): Record<string, string> {
  const modules = 'org.apache.kafka.common.security';
  const scram = `${modules}.scram.ScramLoginModule required;`;
  const lines: Record<string, string> = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': both,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': cert,
    'ssl.client.auth': way === 'mtls' ? 'required' : 'none',
  };
  if (PROTOCOLS[way] !== 'SSL') {
    lines['sasl.enabled.mechanisms'] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512';
    lines['plain.sasl.jaas.config'] =
      `${modules}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`;
    lines['scram-sha-256.sasl.jaas.config'] = scram;
    lines['scram-sha-512.sasl.jaas.config'] = scram;
  }
  const entries = Object.entries(lines).map(([name, value]) => [`listener.name.${way}.${name}`, value]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function waysOf(of: Readonly<Record<Way, unknown>>): readonly Way[] {
  return Object.keys(of) as Way[];
}
