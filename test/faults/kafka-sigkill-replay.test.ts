import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafkaTopic } from '@tachograph/event-log';
import { freePort } from '../support/free-port.ts';
import { rawTopic } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { checkTopic, NOTHING_WRONG } from '../support/log-checker.ts';
import { tempDir } from '../support/temp-dir.ts';
import { expectWholeFeed, MortalServer, replayThroughKills } from './sigkill-replay.ts';

const REPLAY = { seed: 20_261_123, events: 5_000, kills: 8, advance: 450, paddingBytes: 1_500 };
const TOPIC = 'audit.events';

describe('the server over Kafka killed with SIGKILL eight times during a replay of 5,000 events', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let broker: KafkaBroker;
  let server: MortalServer;

  beforeAll(async () => {
    dir = await tempDir();
    broker = await startKafka({ folder: join(dir.path, 'kafka') });
    const single = { partitions: 4, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers: [broker.address], topic: TOPIC, ...single });
    const env = { KAFKA_BROKERS: broker.address, KAFKA_TOPIC: TOPIC, KAFKA_ALLOW_UNSAFE: 'on' };
    server = new MortalServer({ dataDir: join(dir.path, 'data'), port: await freePort(), env });
    await server.start();
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await broker?.stop();
    await dir?.remove();
  }, 60_000);

  it('leaves each event in the topic and in the feed once, in order, as it was recorded (INV-06, INV-08, INV-10)', async () => {
    const replayed = await replayThroughKills(server, REPLAY);
    const lines = await expectWholeFeed(server, replayed);
    // `data` is the leaf itself, the line's last member: the topic has to hold the very same bytes.
    const leaves = lines.map((line) => Buffer.from(line.slice(line.indexOf('"data":') + 7, -1)));
    const records = await rawTopic(broker.address, TOPIC).readAll();
    const { rawDuplicates, ...found } = checkTopic(records, new Map([[replayed.origin, leaves]]));
    console.log(`${records.length} records in the topic, ${rawDuplicates} of them raw duplicates`);
    expect(found).toMatchObject(NOTHING_WRONG);
    expect(leaves).toHaveLength(replayed.durable);
  }, 240_000);
});
