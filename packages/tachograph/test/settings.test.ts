import { describe, expect, it } from '@jest/globals';
import { CliFailure } from '../src/cli-failure.ts';
import { loadSettings } from '../src/settings.ts';

function failureOf(env: NodeJS.ProcessEnv): CliFailure {
  try {
    loadSettings(env);
  } catch (error) {
    if (error instanceof CliFailure) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('the settings of a server', () => {
  it('need nothing: every one has a value that works on one machine', () => {
    const { config, demo } = loadSettings({});
    expect(config).toMatchObject({
      port: 8787,
      host: '127.0.0.1',
      dataDir: './data',
      authority: 'localhost',
    });
    expect(demo).toBe('auto');
  });

  it('are refused with every problem at once', () => {
    const { mend } = failureOf({ PORT: '70000', AUTHORITY: 'no spaces', DEMO: 'yes', LOG_LEVEL: 'loud' });
    expect(mend.map((line) => line.split(':')[0])).toEqual(['PORT', 'AUTHORITY', 'LOG_LEVEL', 'DEMO']);
  });

  it('are refused without repeating a secret', () => {
    const failure = failureOf({ ADMIN_TOKEN: 'hunter2' });
    expect(`${failure.message}${failure.mend.join('')}`).not.toContain('hunter2');
  });
});

describe('the format of the feed', () => {
  it('is CloudEvents unless another one is named', () => {
    expect(loadSettings({}).routes.format).toBe('cloudevents');
    expect(loadSettings({ EXPORT_FORMAT: 'ocsf' }).routes.format).toBe('ocsf');
  });

  it('is one that there is', () => {
    expect(failureOf({ EXPORT_FORMAT: 'leef' }).mend).toEqual([
      'EXPORT_FORMAT: expected cloudevents, ocsf, ecs, cef or raw',
    ]);
    expect(failureOf({ EXPORT_FORMAT: 'toString' }).mend).toHaveLength(1);
  });
});

describe('the file of routes', () => {
  it('is routes.yaml of the data folder unless another one is named, which has to be there', () => {
    expect(loadSettings({ DATA_DIR: '/srv/data' }).routes).toMatchObject({
      file: '/srv/data/routes.yaml',
      named: false,
    });
    expect(loadSettings({ ROUTES_FILE: '/etc/tachograph/routes.yaml' }).routes).toMatchObject({
      file: '/etc/tachograph/routes.yaml',
      named: true,
    });
  });
});

describe('the registry in PostgreSQL', () => {
  it('is named beside Kafka only: nodes that share a registry share the log', () => {
    const DATABASE_URL = 'postgres://tacho:hunter2@db.example/audit?sslmode=verify-full';
    const failure = failureOf({ DATABASE_URL });
    expect(failure.mend).toEqual([
      'DATABASE_URL: expected beside KAFKA_BROKERS only: nodes that share a registry share the log',
    ]);
    const { config } = loadSettings({ DATABASE_URL, KAFKA_BROKERS: 'kafka.example:9092' });
    expect(config.databaseUrl?.reveal()).toBe(DATABASE_URL);
    expect(JSON.stringify(config)).not.toContain('hunter2');
  });
});

describe('the settings of Kafka', () => {
  it('are none where no brokers are named: the log is embedded', () => {
    expect(loadSettings({}).kafka).toBeNull();
    expect(loadSettings({ KAFKA_BROKERS: '', KAFKA_TOPIC: 'audit.acme' }).kafka).toBeNull();
  });

  it('need only the brokers, and are safe unless somebody says otherwise', () => {
    expect(loadSettings({ KAFKA_BROKERS: '10.0.0.7:9092' }).kafka).toEqual({
      brokers: ['10.0.0.7:9092'],
      topic: 'audit.events',
      allowUnsafe: false,
    });
  });

  it('take several brokers with spaces around them, another topic, and the leave to be unsafe', () => {
    const env = {
      KAFKA_BROKERS: 'kafka-1.example:9092, kafka-2.example:9093,',
      KAFKA_TOPIC: 'acme_audit-2.events',
      KAFKA_ALLOW_UNSAFE: 'on',
    };
    expect(loadSettings(env).kafka).toEqual({
      brokers: ['kafka-1.example:9092', 'kafka-2.example:9093'],
      topic: 'acme_audit-2.events',
      allowUnsafe: true,
    });
  });

  it.each([
    ['KAFKA_BROKERS', 'kafka', 'expected host:port, comma-separated'],
    ['KAFKA_BROKERS', 'kafka:9092,other', 'expected host:port, comma-separated'],
    ['KAFKA_BROKERS', 'kafka:9092;other:9092', 'expected host:port, comma-separated'],
    ['KAFKA_BROKERS', 'kafka://kafka:9092', 'expected host:port, comma-separated'],
    ['KAFKA_BROKERS', 'kafka:0', 'expected host:port, comma-separated'],
    ['KAFKA_BROKERS', 'kafka:65536', 'expected host:port, comma-separated'],
    ['KAFKA_BROKERS', ',', 'expected host:port, comma-separated'],
    ['KAFKA_TOPIC', '..', 'expected up to 249 letters, digits, dots, _ and -'],
    ['KAFKA_TOPIC', 'audit events', 'expected up to 249 letters, digits, dots, _ and -'],
    ['KAFKA_ALLOW_UNSAFE', 'yes', 'expected on or off'],
  ])('are refused for %s = %s', (name, value, expected) => {
    const failure = failureOf({ KAFKA_BROKERS: 'kafka:9092', [name]: value });
    expect(failure.message).toContain('ERR_CONFIG');
    expect(failure.mend).toEqual([`${name}: ${expected}`]);
  });

  it("take a topic name of 249 characters, Kafka's longest, and none of 250", () => {
    const env = (length: number) => ({ KAFKA_BROKERS: 'kafka:9092', KAFKA_TOPIC: 'a'.repeat(length) });
    expect(loadSettings(env(249)).kafka?.topic).toHaveLength(249);
    expect(failureOf(env(250)).mend).toEqual([
      'KAFKA_TOPIC: expected up to 249 letters, digits, dots, _ and -',
    ]);
  });

  it('are refused with every problem at once, among those of the other settings', () => {
    const wrong = { KAFKA_BROKERS: 'kafka', KAFKA_TOPIC: 'a/b', KAFKA_ALLOW_UNSAFE: 'yes' };
    const { mend } = failureOf({ PORT: 'x', DEMO: 'x', ...wrong });
    expect(mend.map((line) => line.split(':')[0])).toEqual([
      'PORT',
      'KAFKA_BROKERS',
      'KAFKA_TOPIC',
      'KAFKA_ALLOW_UNSAFE',
      'DEMO',
    ]);
  });

  it('are checked also where the log is embedded, so that a later switch to Kafka meets no surprise', () => {
    expect(failureOf({ KAFKA_TOPIC: 'a b' }).mend).toHaveLength(1);
  });
});
