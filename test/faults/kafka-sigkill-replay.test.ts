import 'fake-indexeddb/auto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEvents, openAuditBuffer } from '@tachograph/client-buffer';
import { createKafkaTopic } from '@tachograph/event-log';
import { z } from 'zod';
import { createEnrolmentToken } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { readFeedLines, type FeedLine } from '../support/feed.ts';
import { freePort } from '../support/free-port.ts';
import { rawTopic, type RawRecord } from '../support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../support/kafka.ts';
import { killInReplay } from '../support/kill-in-replay.ts';
import { random } from '../support/random.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const EVENTS = 5_000;
const KILLS = 8;
/** How far the replay gets between two kills, at least. */
const ADVANCE = 450;
const SEED = 20_261_123;
/** Each event carries this much, so that the replay takes more appends than there are kills. */
const PADDING = 'x'.repeat(1_500);
const TOPIC = 'audit.events';

describe('the server over Kafka killed with SIGKILL eight times during a replay of 5,000 events', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let broker: KafkaBroker;
  let server: Served;
  let start: () => Promise<Served>;

  beforeAll(async () => {
    dir = await tempDir();
    broker = await startKafka({ folder: join(dir.path, 'kafka') });
    const single = { partitions: 4, replicas: 1, minInSync: 1, retentionMs: null };
    await createKafkaTopic({ brokers: [broker.address], topic: TOPIC, ...single });
    const port = await freePort();
    const env = { KAFKA_BROKERS: broker.address, KAFKA_TOPIC: TOPIC, KAFKA_ALLOW_UNSAFE: 'on' };
    start = () => serve({ dataDir: join(dir.path, 'data'), port, env });
    server = await start();
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await broker?.stop();
    await dir?.remove();
  }, 60_000);

  it('leaves each event in the topic and in the feed once, in order, as it was recorded (INV-06, INV-10)', async () => {
    const next = random(SEED);
    const audit = openAuditBuffer({
      endpoint: server.url,
      authority: 'localhost',
      tenant: 'demo',
      events: defineEvents({ 'item.reveal': z.object({ n: z.number(), padding: z.string() }) }),
    });
    const entries = Array.from({ length: EVENTS }, (_, n) =>
      audit.record('item.reveal', { actor: { id: 'u_7' }, data: { n, padding: PADDING } }),
    );
    await entries[EVENTS - 1]!.durable;
    await audit.enrol({ type: 'token', token: await createEnrolmentToken(server, 'demo') });

    const acceptedAtKill: number[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      // In the middle of an append, between two: the seed decides.
      const kill = killInReplay(audit, kills * ADVANCE, next() * 40, () => server.kill());
      acceptedAtKill.push(await kill);
      server = await start();
    }
    // Every kill fell into the replay.
    expect(acceptedAtKill.at(-1)).toBeLessThan(EVENTS);
    await audit.flush();
    const { origin, ledger } = audit.status();
    expect(ledger).toMatchObject({ pending: 0, lost: 0, gap: 0, rejected: 0 });
    await audit.close();

    const raw = (await rawTopic(broker.address, TOPIC).readAll()).filter(
      ({ headers }) => headers['ce_source'] === origin,
    );
    const kept = withoutRepeats(raw);
    console.log(
      `accepted at each kill: ${acceptedAtKill.join(', ')}; ${raw.length} records in the topic, ` +
        `${raw.length - kept.length} of them repeats`,
    );
    expect(new Set(kept.map(({ partition }) => partition)).size).toBe(1);
    expect(kept.map(({ headers }) => Number(headers['ce_sequence']))).toEqual(kept.map((_, i) => i));
    expect(kept).toHaveLength(ledger.durable);
    expect(idsOf(kept)).toEqual(entries.map(({ id }) => id));

    const lines = await eventually(
      'the whole feed',
      async () => {
        const own = (await readFeedLines(server.dataDir)).filter((line) => source(line) === origin);
        return own.length >= ledger.durable ? own : null;
      },
      30_000,
    );
    expect(lines.map((line) => Number((JSON.parse(line) as FeedLine).sequence))).toEqual(
      lines.map((_, i) => i),
    );
    // `data` is the leaf itself, the line's last member: not one byte of it is another one.
    for (const [i, { value }] of kept.entries()) {
      if (!lines[i]!.endsWith(`"data":${value.toString('utf8')}}`))
        throw new Error(`line ${i} has other bytes`);
    }
  }, 240_000);
});

/** What is left when each record that repeats an earlier one byte for byte, by its id, is dropped. */
function withoutRepeats(records: readonly RawRecord[]): RawRecord[] {
  const seen = new Map<string, Buffer>();
  return records.filter(({ headers, value }) => {
    const id = headers['ce_id']!;
    const before = seen.get(id);
    if (before === undefined) {
      seen.set(id, value);
      return true;
    }
    if (!before.equals(value)) throw new Error(`${id} stands twice with other bytes`);
    return false;
  });
}

function idsOf(records: readonly RawRecord[]): string[] {
  return records
    .map(({ value }) => JSON.parse(value.toString('utf8')) as { id: string; action: string })
    .filter(({ action }) => action === 'item.reveal')
    .map(({ id }) => id);
}

function source(line: string): string {
  return (JSON.parse(line) as FeedLine).source;
}
