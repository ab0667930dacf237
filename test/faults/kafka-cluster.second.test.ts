import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { leadersOf, moveReplicas } from '../support/kafka-admin.ts';
import { eventually } from '../support/eventually.ts';
import { startKafkaStub, type KafkaStub } from '../support/kafka-stub.ts';
import { setTopic } from '../support/kafka-raw.ts';
import type { KafkaBroker } from '../support/kafka.ts';
import { random } from '../support/random.ts';
import {
  allInSync,
  leaderOf,
  openClusterRoad,
  othersLead,
  othersTake,
  refuseDuring,
  sendThrough,
  type ClusterRoad,
} from './kafka-cluster.ts';
import { expectWhole, TOPIC } from './kafka-road.ts';

const SEED = 20_261_123;
const AWAY_MS = 5_000;
const TEST_MS_MAX = 180_000;

/** What the topic is made with here, and `min.insync.replicas`. */
function settings(minInSync: number): Record<string, string> {
  return {
    'min.insync.replicas': String(minInSync),
    'max.message.bytes': String(4 * 1024 * 1024),
    'retention.ms': '-1',
    'unclean.leader.election.enable': 'false',
  };
}

describe('the server over three brokers, two of which have to have each append', () => {
  let road: ClusterRoad;
  const next = random(SEED);
  beforeAll(async () => {
    road = await openClusterRoad();
  }, TEST_MS_MAX);
  afterAll(() => road?.stop(), 60_000);
  beforeEach(() => allInSync(road), TEST_MS_MAX);

  const whole = (): Promise<void> => expectWhole(road.kafka.addresses.split(',')[0]!, road.senders);
  const someLeader = (): Promise<KafkaBroker> => leaderOf(road, Math.floor(next() * 6));
  const others = (than: KafkaBroker): readonly KafkaBroker[] =>
    road.kafka.brokers.filter((broker) => broker !== than);

  it(
    'gets on when a leader is killed, and when it leads again (INV-06, INV-08, INV-13)',
    async () => {
      const victim = await someLeader();
      const led = (await leadersOf(road.kafka.addresses, TOPIC)).filter((id) => id === victim.nodeId).length;
      await sendThrough(road, {
        name: 'leader killed',
        strike: () => victim.kill(),
        able: () => othersTake(road, victim),
      });
      await sendThrough(road, {
        name: 'leader back, and elected as it is preferred',
        strike: () => victim.start(),
        able: () =>
          eventually(
            'it leads again',
            async () => {
              const leaders = await leadersOf(road.kafka.addresses, TOPIC);
              return leaders.filter((id) => id === victim.nodeId).length >= led ? true : null;
            },
            60_000,
          ),
      });
      await whole();
    },
    TEST_MS_MAX,
  );

  it(
    'gets on when a leader falls silent with its connections open, and when it wakes (INV-06, INV-08, INV-13)',
    async () => {
      for (const broker of road.kafka.brokers) {
        await sendThrough(road, {
          name: `broker ${broker.nodeId} stopped (SIGSTOP)`,
          strike: () => broker.pause(),
          able: () => othersTake(road, broker),
          mend: async () => {
            broker.resume();
            // Else the next one would be a second broker of three that is away.
            await allInSync(road);
          },
        });
      }
      await whole();
    },
    TEST_MS_MAX,
  );

  it(
    'gets on when leaders are moved while it sends (INV-06, INV-08, INV-13)',
    async () => {
      for (const replicas of [
        [2, 3],
        [3, 1],
        [1, 2],
        [1, 2, 3],
      ]) {
        await sendThrough(road, {
          name: `all partitions to brokers ${replicas.join(', ')}`,
          strike: () => moveReplicas(road.kafka.addresses, TOPIC, 6, replicas),
          able: () =>
            eventually('they lead', async () =>
              (await leadersOf(road.kafka.addresses, TOPIC)).every((id) => replicas.includes(id))
                ? true
                : null,
            ),
        });
      }
      await whole();
    },
    TEST_MS_MAX,
  );

  it(
    'gets on when something else takes the connections of a broker that is dead, and ends them (INV-06, INV-08, INV-13)',
    async () => {
      const [victim] = road.kafka.brokers;
      const port = Number(victim!.address.split(':')[1]);
      let balancer: KafkaStub | null = null;
      await sendThrough(road, {
        name: 'broker killed, and a load balancer in its place',
        strike: async () => {
          await victim!.kill();
          balancer = await startKafkaStub(TOPIC, port);
          balancer.manner = 'ends-connections';
        },
        able: () => othersTake(road, victim!),
        mend: async () => {
          expect(balancer!.taken()).toBeGreaterThan(0);
          await balancer!.close();
          await victim!.start();
        },
      });
      await whole();
    },
    TEST_MS_MAX,
  );

  it(
    'acknowledges nothing while fewer replicas are in sync than have to be (INV-06, INV-14)',
    async () => {
      const victim = await someLeader();
      const [survivor] = others(victim);
      await refuseDuring(road, {
        name: 'fewer in-sync replicas than min.insync.replicas',
        awayMs: AWAY_MS,
        strike: async () => {
          await setTopic(survivor!.address, TOPIC, settings(3));
          await victim.kill();
          await othersLead(road, victim);
        },
        mend: () => victim.start(),
      });
      await setTopic(survivor!.address, TOPIC, settings(2));
      expect(road.server.output()).toMatch(/fewer in-sync replicas than required/);
      await whole();
    },
    TEST_MS_MAX,
  );

  it.each(['stopped', 'killed'] as const)(
    'acknowledges nothing while two brokers of three are %s (INV-06, INV-14)',
    async (how) => {
      const survivor = await someLeader();
      const gone = others(survivor);
      await refuseDuring(road, {
        name: `two brokers ${how}`,
        awayMs: AWAY_MS,
        strike: async () => {
          for (const broker of gone) {
            if (how === 'stopped') broker.pause();
            else await broker.kill();
          }
        },
        mend: async () => {
          if (how === 'stopped') for (const broker of gone) broker.resume();
          // Together: one waits for the other where most of the controllers were gone.
          else await Promise.all(gone.map((broker) => broker.start()));
        },
      });
      await whole();
      expect(road.server.output()).not.toContain('"level":"fatal"');
    },
    TEST_MS_MAX,
  );
});
