import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { readKafka, type KafkaSettings } from '../src/kafka-settings.ts';
import { tempFolders } from './support/temp-folder.ts';

const folder = tempFolders();
/** One that can be read. */
const THIS_FILE = fileURLToPath(import.meta.url);
const PASSWORD = 'correct-horse-battery-staple';

/** The path of a new file that holds `text`. */
function file(text: string): string {
  const path = join(folder(), 'file');
  writeFileSync(path, text);
  return path;
}

function read(env: NodeJS.ProcessEnv): { kafka: KafkaSettings | null; problems: readonly string[] } {
  const problems: string[] = [];
  const kafka = readKafka({ KAFKA_BROKERS: 'kafka.example:9093', ...env }, problems);
  return { kafka, problems };
}

function accepted(env: NodeJS.ProcessEnv): KafkaSettings {
  const { kafka, problems } = read(env);
  if (kafka === null || problems.length > 0) throw new Error(`refused: ${problems.join('; ')}`);
  return kafka;
}

describe('the settings of TLS to Kafka', () => {
  it('are off unless asked for, and then trust whom Node trusts', () => {
    expect(accepted({})).not.toHaveProperty('tls');
    expect(accepted({ KAFKA_TLS: 'off' })).not.toHaveProperty('tls');
    expect(accepted({ KAFKA_TLS: 'on' }).tls).toEqual({});
    expect(accepted({ KAFKA_TLS: 'true' }).tls).toEqual({});
  });

  it('name the files of authority, certificate, key and passphrase, and a server name', () => {
    const [ca, cert, key, passphrase] = [file('a'), file('b'), file('c'), file('d')];
    const env = {
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA_FILE: ca,
      KAFKA_TLS_CERT_FILE: cert,
      KAFKA_TLS_KEY_FILE: key,
      KAFKA_TLS_KEY_PASSPHRASE_FILE: passphrase,
      KAFKA_TLS_SERVER_NAME: 'kafka.internal',
    };
    expect(accepted(env).tls).toEqual({
      caFile: ca,
      certFile: cert,
      keyFile: key,
      keyPassphraseFile: passphrase,
      serverName: 'kafka.internal',
    });
  });

  it.each([
    [{ KAFKA_TLS_CERT_FILE: THIS_FILE }, 'KAFKA_TLS_KEY_FILE: expected with KAFKA_TLS_CERT_FILE'],
    [{ KAFKA_TLS_KEY_FILE: THIS_FILE }, 'KAFKA_TLS_CERT_FILE: expected with KAFKA_TLS_KEY_FILE'],
    [
      { KAFKA_TLS_KEY_PASSPHRASE_FILE: THIS_FILE },
      'KAFKA_TLS_KEY_PASSPHRASE_FILE: expected KAFKA_TLS_KEY_FILE with it',
    ],
    [{ KAFKA_TLS_CA_FILE: '/nowhere' }, 'KAFKA_TLS_CA_FILE: expected the path of a file that can be read'],
    [{ KAFKA_TLS_SERVER_NAME: 'a b' }, 'KAFKA_TLS_SERVER_NAME: expected a host name'],
    [{ KAFKA_TLS: 'yes' }, 'KAFKA_TLS: expected on or off'],
    [{ KAFKA_TLS: 'off', KAFKA_TLS_CA_FILE: THIS_FILE }, 'KAFKA_TLS_CA_FILE: expected KAFKA_TLS=on with it'],
  ])('are refused half-configured: %j', (env, problem) => {
    expect(read({ KAFKA_TLS: 'on', ...env }).problems).toEqual([problem]);
  });
});

describe('the settings of the user of Kafka', () => {
  const USER = { KAFKA_SASL_USERNAME: 'ingest', KAFKA_SASL_PASSWORD: PASSWORD };

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('take %s, in capitals too', (mechanism) => {
    for (const KAFKA_SASL_MECHANISM of [mechanism, mechanism.toUpperCase()]) {
      const { sasl } = accepted({ KAFKA_TLS: 'on', KAFKA_SASL_MECHANISM, ...USER });
      expect(sasl).toMatchObject({ mechanism, username: 'ingest' });
      expect(sasl?.password.reveal()).toBe(PASSWORD);
    }
  });

  it('take the first line of a file for the password', () => {
    const env = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'ingest' };
    const { sasl } = accepted({ ...env, KAFKA_SASL_PASSWORD_FILE: file(`${PASSWORD}\r\n`) });
    expect(sasl?.password.reveal()).toBe(PASSWORD);
  });

  it('show the password in no way that things are printed', () => {
    const kafka = accepted({ KAFKA_SASL_MECHANISM: 'scram-sha-512', ...USER });
    const shown = [inspect(kafka, { depth: 9, showHidden: true }), JSON.stringify(kafka)];
    expect(shown.join()).not.toContain(PASSWORD);
    expect(shown.join()).toContain('[redacted]');
  });

  it.each([
    [
      { KAFKA_SASL_MECHANISM: '' },
      [
        'KAFKA_SASL_USERNAME: expected KAFKA_SASL_MECHANISM with it',
        'KAFKA_SASL_PASSWORD: expected KAFKA_SASL_MECHANISM with it',
      ],
    ],
    [
      { KAFKA_SASL_MECHANISM: 'gssapi' },
      ['KAFKA_SASL_MECHANISM: expected one of plain, scram-sha-256, scram-sha-512'],
    ],
    [{ KAFKA_SASL_USERNAME: '' }, ['KAFKA_SASL_USERNAME: expected with KAFKA_SASL_MECHANISM']],
    [
      { KAFKA_SASL_PASSWORD: '' },
      ['KAFKA_SASL_PASSWORD: expected with KAFKA_SASL_MECHANISM, or KAFKA_SASL_PASSWORD_FILE'],
    ],
    [
      { KAFKA_SASL_PASSWORD_FILE: '/nowhere' },
      ['KAFKA_SASL_PASSWORD_FILE: expected without KAFKA_SASL_PASSWORD'],
    ],
    [
      { KAFKA_SASL_PASSWORD: '', KAFKA_SASL_PASSWORD_FILE: '/' },
      ['KAFKA_SASL_PASSWORD_FILE: expected the path of a file that can be read'],
    ],
    [
      { KAFKA_SASL_PASSWORD: '', KAFKA_SASL_PASSWORD_FILE: '/dev/null' },
      ['KAFKA_SASL_PASSWORD_FILE: expected the password in its first line'],
    ],
  ])('are refused half-configured, without the password: %j', (env, expected) => {
    const { kafka, problems } = read({ KAFKA_SASL_MECHANISM: 'scram-sha-512', ...USER, ...env });
    expect(problems).toEqual(expected);
    expect(inspect(kafka)).not.toContain(PASSWORD);
  });

  it('are refused where PLAIN would send the password unencrypted to another machine, unless that is allowed', () => {
    const plain = { KAFKA_SASL_MECHANISM: 'plain', ...USER };
    expect(read(plain).problems).toEqual([
      expect.stringMatching(/^KAFKA_SASL_MECHANISM: plain sends the password/),
    ]);
    const mixed = { ...plain, KAFKA_BROKERS: 'localhost:9092,10.0.0.7:9092' };
    expect(read(mixed).problems).toHaveLength(1);
    for (const name of ['127.0.0.1.example:9092', '127.example:9092', 'localhost.example:9092'])
      expect(read({ ...plain, KAFKA_BROKERS: name }).problems).toHaveLength(1);
    expect(accepted({ ...plain, KAFKA_TLS: 'on' }).sasl?.mechanism).toBe('plain');
    expect(accepted({ ...plain, KAFKA_ALLOW_UNSAFE: 'on' }).sasl?.mechanism).toBe('plain');
    expect(accepted({ ...plain, KAFKA_BROKERS: 'localhost:9092,127.0.0.1:9093' }).sasl?.mechanism).toBe(
      'plain',
    );
  });
});
