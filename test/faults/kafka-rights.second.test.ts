import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic } from '@tachograph/event-log';
import { cli } from '../support/cli.ts';
import { enrolDevice } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { allow, forbid } from '../support/kafka-admin.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { checkTopic, NOTHING_WRONG } from '../support/log-checker.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { cosignerKeys, Sender } from './kafka-senders.ts';

const TOPIC = 'audit.events';
const [USER, PASSWORD] = ['ingest', 'a-password-of-the-tests'];
const HEALED_MS_MAX = 30_000;

describe('a broker that takes the right to write away, and gives it back', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let broker: KafkaBroker;
  let server: Served;
  let env: Record<string, string>;
  beforeAll(async () => {
    dir = await tempDir();
    const users = { name: 'USERS', protocol: 'SASL_PLAINTEXT', port: await freePort() } as const;
    broker = await startKafka({
      folder: join(dir.path, 'kafka'),
      listeners: [users],
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // The broker itself, and these tests, by the listener that takes no users.
        'super.users': 'User:ANONYMOUS',
        'listener.name.users.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.users.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
      },
    });
    const single = { partitions: 2, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers: [broker.address], topic: TOPIC, ...single });
    await allow(broker.address, TOPIC, USER, ['READ', 'WRITE', 'DESCRIBE', 'DESCRIBE_CONFIGS']);
    env = {
      KAFKA_BROKERS: `127.0.0.1:${users.port}`,
      KAFKA_TOPIC: TOPIC,
      KAFKA_ALLOW_UNSAFE: 'on',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: USER,
      KAFKA_SASL_PASSWORD: PASSWORD,
    };
    server = await serve({ dataDir: join(dir.path, 'data'), env });
  }, 120_000);
  const doctor = async (): Promise<string> =>
    (await cli(['doctor'], { ...env, DATA_DIR: server.dataDir, PORT: String(server.port) })).output;
  afterAll(async () => {
    await server?.stop();
    await broker?.stop();
    await dir?.remove();
  }, 60_000);

  it('is told so by 503 and a log line, and gets everything afterwards without a restart (INV-06, INV-14)', async () => {
    const sender = new Sender(server, await enrolDevice(server, 'demo'), await cosignerKeys(server));
    const { device } = sender;
    device.record(5);
    await sender.sendUpTo(5);
    expect(await doctor()).toMatch(/✓ log +2 partitions can be read/);

    await forbid(broker.address, TOPIC, USER, 'WRITE');
    device.record(5);
    await eventually('a refusal', async () => {
      const { status } = await sender.attempt(device.leaves.length);
      if (status === 200) device.record(1);
      return status === 503 ? true : null;
    });
    const size = sender.acknowledged;
    for (let i = 0; i < 5; i++) expect((await sender.attempt(device.leaves.length)).status).toBe(503);
    expect(sender.acknowledged).toBe(size);
    expect(server.output()).toMatch(/lane\.append_ambiguous/);
    expect(server.output()).toMatch(/not authorized/i);
    expect(server.output()).not.toContain(PASSWORD);
    expect(await doctor()).toMatch(
      /✗ log +audit\.events of Kafka can be read, but this user may not write to it/,
    );

    await allow(broker.address, TOPIC, USER, ['WRITE']);
    const givenBackAt = performance.now();
    await sender.sendUpTo(device.leaves.length);
    const ms = performance.now() - givenBackAt;
    console.log(`an append went through ${ms.toFixed(0)} ms after the right was given back`);
    expect(ms).toBeLessThan(HEALED_MS_MAX);
    const found = checkTopic(
      await rawTopic(broker.address, TOPIC).readAll(),
      new Map([[device.origin, device.leaves]]),
    );
    expect(found).toMatchObject(NOTHING_WRONG);
  }, 120_000);
});
